package smapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

// messagingScope is what every pair may ask for, with one colon (Alexa: Skill
// Messaging API).
const messagingScope = "alexa:skill_messaging"

// Verify proves c by asking LWA for a token with it; see [source.Verifier]. It
// asks three times at most, whether LWA throttles or is unavailable. A skill
// that is not entitled to the scope is no news of its pair: inconclusive.
func (s *Source) Verify(ctx context.Context, c credential.Credential) error {
	_, err := retry(ctx, func() (*oauth2.Token, error) {
		t, err := s.lwa.proven(ctx, c)
		if errors.Is(err, source.ErrRateLimited) {
			err = fmt.Errorf("%w: %w", source.ErrUnavailable, err)
		}
		return t, err
	})
	if err == nil {
		return nil
	}
	r, ok := errors.AsType[*refusal](err)
	switch {
	case ok && r.status == http.StatusUnauthorized && r.code == "invalid_client":
		return fmt.Errorf("pair of %s: %w", c.Skill, source.ErrRejected)
	case ok && r.code != "":
		// The remedies are for our own account; this is about the skill's pair.
		return fmt.Errorf("pair of %s not proven: %w by Login with Amazon (status %d, %s)", c.Skill, source.ErrDenied, r.status, r.code)
	}
	return fmt.Errorf("pair of %s not proven: %w", c.Skill, err)
}

package smapi

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

// DefaultScope lets a token see skills and their pairs. Amazon's references name
// no scope for the pairs; this one holds all that is documented for skills.
const DefaultScope = "alexa::ask:skills:readwrite"

// ErrStray is an answer that does not belong to the consent that was asked for.
var ErrStray = errors.New("this is not the answer to this login")

// ErrNoCode is an answer without anything that can be a code.
var ErrNoCode = errors.New("there is no authorization code in it")

// A Consent asks a person for a refresh token, once, in a browser: the
// Authorization Code Grant of Login with Amazon, with the proof key (PKCE, RFC
// 7636) that Amazon recommends for all kinds of applications. Send a browser to
// [Consent.URL], give what it is sent back with to [Consent.Code], and what that
// returns to [Consent.Redeem].
type Consent struct {
	config   Config
	oauth    oauth2.Config
	state    string
	verifier string
	lwa      *lwa
	page     *http.Client
	base     http.RoundTripper
}

// NewConsent returns the consent that is asked for with the security profile of
// c, which has no [Config.Faults]. redirect is one of the profile's Allowed
// Return URLs, to the letter. But for the file of authorities, nothing is read or
// asked yet.
func NewConsent(c Config, redirect string, scopes []string) (*Consent, error) {
	base, err := c.wire().Base()
	if err != nil {
		return nil, err
	}
	return newConsent(c, redirect, scopes, base), nil
}

func newConsent(c Config, redirect string, scopes []string, base http.RoundTripper) *Consent {
	return &Consent{
		config: c,
		base:   base,
		oauth: oauth2.Config{
			ClientID: c.ClientID, RedirectURL: redirect, Scopes: scopes,
			Endpoint: oauth2.Endpoint{AuthURL: c.authorizeURL(), TokenURL: c.tokenURL(), AuthStyle: oauth2.AuthStyleInParams},
		},
		state:    oauth2.GenerateVerifier(), // 32 random bytes
		verifier: oauth2.GenerateVerifier(),
		lwa:      &lwa{url: c.tokenURL(), token: lwaClient(base, "token", nil), pace: newPace(c.startRate(), c.maxRate())},
		page:     lwaClient(base, "authorize", nil),
	}
}

// URL returns the address of the page that asks for consent.
func (c *Consent) URL() string {
	return c.oauth.AuthCodeURL(c.state, oauth2.S256ChallengeOption(c.verifier))
}

// Scopes returns what is asked for.
func (c *Consent) Scopes() []string { return c.oauth.Scopes }

// Probe asks for the page as a browser does, but without a person, and returns
// an error where Amazon is known to refuse it: with a return URL that is not on
// the list, or a client that is unknown, no browser is ever sent back. Any other
// answer, and none, is nil: it is the browser that has to get there.
func (c *Consent) Probe(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL(), nil)
	if err != nil {
		return fmt.Errorf("%w: authorize_url is not a URL", source.ErrInvalid)
	}
	req.Header.Set("User-Agent", userAgent)
	resp, err := c.page.Do(req)
	if err != nil {
		return ctx.Err()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	switch {
	case resp.StatusCode != http.StatusBadRequest:
		return nil
	case strings.Contains(string(body), "has not been whitelisted"): // Amazon's words, as users quote them
		return fmt.Errorf("%w: %s is not among the Allowed Return URLs of the security profile: add it there, to the letter (developer console, Login with Amazon, Web Settings)", source.ErrDenied, c.oauth.RedirectURL)
	}
	return fmt.Errorf("%w: Amazon does not know the client ID, or Login with Amazon is not enabled for its security profile: copy the client ID anew from there", source.ErrDenied)
}

// refusedConsents says what the errors mean that a browser is sent back with
// (LWA: Authorization Errors).
var refusedConsents = map[string]string{
	"access_denied":             "consent was not given: log in again and allow it, as a user of the developer account",
	"unauthorized_client":       "the security profile may not ask for consent: enable Login with Amazon for it in the developer console",
	"invalid_scope":             "the security profile may not ask for one of the scopes: log in without --scope",
	"invalid_request":           "Amazon finds the request malformed: are the client ID and the scopes right?",
	"unsupported_response_type": "what answers is not Login with Amazon: is authorize_url right?",
}

// Code returns the authorization code out of the query that a browser was sent
// back with, or why Amazon gave none. A query with another state, or without, is
// [ErrStray]: whoever sends it is not who was asked.
func (c *Consent) Code(query url.Values) (credential.Secret, error) {
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(c.state)) != 1 {
		return credential.Secret{}, ErrStray
	}
	if code := query.Get("error"); code != "" {
		why, known := refusedConsents[code]
		switch {
		case known:
			return credential.Secret{}, fmt.Errorf("%w: %s (%s)", source.ErrDenied, why, code)
		case code == "server_error" || code == "temporarily_unavailable":
			return credential.Secret{}, fmt.Errorf("%w: Login with Amazon; log in again later (%s)", source.ErrUnavailable, code)
		}
		return credential.Secret{}, fmt.Errorf("%w: for a reason that is not documented", source.ErrDenied)
	}
	return usableCode(query.Get("code"))
}

// maxCode is the longest code that is taken; LWA's have some 20 characters.
const maxCode = 2048

// usableCode returns code as a secret, where it can be one.
func usableCode(code string) (credential.Secret, error) {
	if code == "" || len(code) > maxCode || !printable(code) {
		return credential.Secret{}, ErrNoCode
	}
	return credential.NewSecret(code), nil
}

// Pasted returns the code out of what a person copied: the whole URL that the
// browser was sent to, which has to bear our state, or the code alone.
func (c *Consent) Pasted(s credential.Secret) (credential.Secret, error) {
	text := strings.TrimSpace(s.Reveal())
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" && u.RawQuery == "" {
		return usableCode(text)
	}
	return c.Code(u.Query())
}

// refusedCodes are the remedies that differ where a code is redeemed.
var refusedCodes = map[string]string{
	"invalid_grant":       "the authorization code is not accepted: it was used before, is older than five minutes, or was issued for another return URL; log in again",
	"unauthorized_client": "the code was issued to another security profile: log in again with the client ID of this one",
	"invalid_scope":       "the security profile may not ask for one of the scopes: log in without --scope",
	"access_denied":       "the user or Amazon denied access: log in again",
}

// Issued is what LWA gave for a code.
type Issued struct {
	Refresh credential.Secret
	access  *token
}

// Redeem exchanges code, which is worthless afterwards, for tokens. It reads the
// client secret. Its errors are as those of a [Source].
func (c *Consent) Redeem(ctx context.Context, code credential.Secret) (Issued, error) {
	secret, err := c.config.ClientSecret.Read()
	if err != nil {
		return Issued{}, fmt.Errorf("client_secret: %w", err)
	}
	got, err := retry(ctx, func() (*oauth2.Token, error) {
		for {
			t, err := c.lwa.attempt(ctx, c.lwa.token, func(ctx context.Context) (*oauth2.Token, error) {
				o := c.oauth
				o.ClientSecret = secret.Reveal()
				return o.Exchange(ctx, code.Reveal(), oauth2.VerifierOption(c.verifier))
			})
			if !errors.Is(err, source.ErrRateLimited) {
				return t, err
			}
		}
	})
	if r, ok := errors.AsType[*refusal](err); ok && refusedCodes[r.code] != "" {
		err = fmt.Errorf("%w: %s (%s)", source.ErrDenied, refusedCodes[r.code], r.code)
	}
	if err != nil {
		return Issued{}, err
	}
	if v := got.RefreshToken; v == "" || len(v) > maxToken || !printable(v) {
		return Issued{}, fmt.Errorf("%w: no refresh token came with the access token", source.ErrInvalid)
	}
	now := time.Now()
	return Issued{
		Refresh: credential.NewSecret(got.RefreshToken),
		access:  &token{access: credential.NewSecret(got.AccessToken), born: now, renew: now.Add(renewEarly)},
	}, nil
}

// Source returns the source that the consent was for. It begins with the access
// token that was issued, so that to try it rotates nothing.
func (c *Consent) Source(i Issued) *Source {
	s := open(c.config, Options{}, c.base)
	s.tokens.current.Store(i.access)
	return s
}

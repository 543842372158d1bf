package smapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/credsync/credsync/internal/doctor"
	"github.com/credsync/credsync/internal/source"
)

var _ doctor.Examiner = (*Source)(nil)

// Examination implements [doctor.Examiner]: the way to Amazon and its clock, the
// token, the account, and whether the token's scope lets it list skills. No pair
// is asked for.
func (s *Source) Examination() []doctor.Step {
	var date string
	var vendors []string
	return []doctor.Step{
		{Name: "way to Amazon's API", Do: func(ctx context.Context) (_ []string, err error) {
			date, err = s.reach(ctx)
			return nil, err
		}},
		{Name: "clock", Needs: []string{"way to Amazon's API"}, Do: func(context.Context) ([]string, error) {
			clock, err := http.ParseTime(date)
			if err != nil {
				clock = time.Now() // an answer without a date says nothing
			}
			return doctor.Skew("Amazon", clock), nil
		}},
		{Name: "Login with Amazon", Do: func(ctx context.Context) ([]string, error) {
			_, err := s.tokens.Get(ctx)
			return nil, err
		}},
		{Name: "Skill Management API", Needs: []string{"way to Amazon's API", "Login with Amazon"}, Do: func(ctx context.Context) (_ []string, err error) {
			vendors, err = s.vendors(ctx)
			return nil, scopeHint(err)
		}},
		{Name: "scope", Needs: []string{"Skill Management API"}, Do: func(ctx context.Context) ([]string, error) {
			return s.mayList(ctx, vendors)
		}},
	}
}

// reach asks for what needs no token, and returns the Date of whatever answers.
func (s *Source) reach(ctx context.Context) (date string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.api+"/", nil)
	if err != nil {
		return "", fmt.Errorf("%w: api_url is not a URL", source.ErrInvalid)
	}
	req.Header.Set("User-Agent", userAgent)
	a, err := send(ctx, s.client, req)
	if err != nil {
		return "", err
	}
	return a.header.Get("Date"), nil
}

// mayList asks for one skill of the first vendor.
func (s *Source) mayList(ctx context.Context, vendors []string) ([]string, error) {
	if len(vendors) == 0 {
		return []string{"the account belongs to no vendor, so it sees no skills; was the login made as a user of the developer account?"}, nil
	}
	body, err := s.get(ctx, "/v1/skills?"+url.Values{"vendorId": {vendors[0]}, "maxResults": {"1"}}.Encode())
	if err != nil {
		return nil, scopeHint(about(fmt.Sprintf("skills of vendor %q", vendors[0]), missing(err)))
	}
	if !json.Valid(body) {
		return nil, fmt.Errorf("skills: %w answer: no page of skills", source.ErrInvalid)
	}
	return nil, nil
}

// scopeHint adds to a denial what a token lacks most often.
func scopeHint(err error) error {
	if _, none := errors.AsType[noToken](err); none || !errors.Is(err, source.ErrDenied) {
		return err
	}
	return fmt.Errorf("%w; log in anew with the scope %s (credsync login --force), as a user with the role Administrator or Developer", err, DefaultScope)
}

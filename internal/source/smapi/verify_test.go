package smapi

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

var fetched = credential.Credential{Skill: skill, ClientID: pairID, ClientSecret: credential.NewSecret(pairKey)}

func TestVerifyAsksWithThePair(t *testing.T) {
	a := lwaAlways(ok(`{"access_token":"Atc|x","scope":"alexa:skill_messaging","token_type":"Bearer","expires_in":3600}`))
	if err := a.open(t).Verify(t.Context(), fetched); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"grant_type": {"client_credentials"}, "client_id": {pairID}, "client_secret": {pairKey}, "scope": {"alexa:skill_messaging"}}
	if diff := cmp.Diff(map[string][]string(a.lwaCalls[0]), want); diff != "" {
		t.Error(diff)
	}
	if api, lwa := a.calls(); api != 0 || lwa != 1 {
		t.Errorf("got %d calls of the API and %d of LWA, want 0 and 1", api, lwa)
	}
}

func TestVerify(t *testing.T) {
	refusal := func(status int, code string) reply { return reply{status: status, body: `{"error":"` + code + `"}`} }
	tests := map[string]struct {
		reply reply
		want  error
		calls int
	}{
		"the pair is bad":             {refusal(401, "invalid_client"), source.ErrRejected, 1},
		"a 401 for another reason":    {refusal(401, "invalid_scope"), source.ErrDenied, 1},
		"a 401 without a reason":      {reply{status: 401, body: "{}"}, source.ErrUnavailable, 3},
		"invalid_client in a 400":     {refusal(400, "invalid_client"), source.ErrDenied, 1},
		"invalid_client in a 200":     {refusal(200, "invalid_client"), source.ErrDenied, 1},
		"invalid_client in a 500":     {refusal(500, "invalid_client"), source.ErrUnavailable, 3},
		"invalid_client in a 429":     {refusal(429, "invalid_client"), source.ErrRateLimited, 3},
		"not entitled to the scope":   {refusal(400, "invalid_scope"), source.ErrDenied, 1},
		"unauthorized client":         {refusal(400, "unauthorized_client"), source.ErrDenied, 1},
		"a code that nobody knows":    {refusal(400, "brand_new"), source.ErrDenied, 1},
		"throttled":                   {reply{status: 429}, source.ErrRateLimited, 3},
		"told to slow down":           {refusal(400, "slow_down"), source.ErrRateLimited, 3},
		"unavailable":                 {reply{status: 503}, source.ErrUnavailable, 3},
		"redirected":                  {reply{status: 302}, source.ErrInvalid, 1},
		"HTML with the words in it":   {reply{status: 401, body: "<html>invalid_client</html>"}, source.ErrUnavailable, 3},
		"no token":                    {ok("{}"), source.ErrUnavailable, 3},
		"no answer":                   {reply{err: errors.New("gone")}, source.ErrUnavailable, 3},
		"a hang":                      {reply{hang: true}, source.ErrUnavailable, 3},
		"a forbidden by a middle box": {reply{status: 403, body: "blocked"}, source.ErrUnavailable, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := lwaAlways(tt.reply)
				err := a.open(t).Verify(t.Context(), fetched)
				wantErr(t, err, tt.want)
				if got, want := errors.Is(err, source.ErrRejected), errors.Is(tt.want, source.ErrRejected); got != want {
					t.Errorf("%v: rejected: %v, want %v", err, got, want)
				}
				if _, lwa := a.calls(); lwa != tt.calls {
					t.Errorf("got %d calls, want %d", lwa, tt.calls)
				}
			})
		})
	}
}

func TestVerifySurvivesTwoBadAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &amazon{lwa: func(n int, _ url.Values) reply {
			return []reply{{status: 429}, {status: 500}, ok(goodToken)}[n-1]
		}}
		if err := a.open(t).Verify(t.Context(), fetched); err != nil {
			t.Error(err)
		}
	})
}

func TestVerifyHonoursTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		wantErr(t, lwaAlways(reply{hang: true}).open(t).Verify(ctx, fetched), context.DeadlineExceeded)
		ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		wantErr(t, lwaAlways(reply{status: 429, header: map[string]string{"Retry-After": "600"}}).open(t).Verify(ctx, fetched), context.DeadlineExceeded)
	})
}

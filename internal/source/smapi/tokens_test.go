package smapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

func TestOneTokenForAllCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &amazon{lwa: func(int, url.Values) reply {
			time.Sleep(time.Second)
			return ok(goodToken)
		}}
		s := a.open(t)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { fetchOK(t, s) })
		}
		wg.Wait()
		if api, lwa := a.calls(); api != 100 || lwa != 1 {
			t.Errorf("got %d calls of the API and %d of LWA, want 100 and 1", api, lwa)
		}
	})
}

func TestOneCallersCancelFailsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &amazon{lwa: func(n int, _ url.Values) reply {
			if n == 1 {
				return reply{hang: true}
			}
			return ok(goodToken)
		}}
		s := a.open(t)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := s.Fetch(ctx, skill)
			wantErr(t, err, context.DeadlineExceeded)
		})
		time.Sleep(time.Second)
		for range 10 {
			wg.Go(func() { fetchOK(t, s) })
		}
		impatient, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		start := time.Now()
		_, err := s.Fetch(impatient, skill)
		wantErr(t, err, context.DeadlineExceeded)
		if took := time.Since(start); took != time.Second {
			t.Errorf("a caller that waits for another's token returned after %v, want 1 s", took)
		}
		wg.Wait()
		if _, lwa := a.calls(); lwa != 2 {
			t.Errorf("got %d calls of LWA, want 2", lwa)
		}
	})
}

// Nor does that one caller's time is over between two tries.
func TestOneCallersDeadlineFailsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &amazon{lwa: func(n int, _ url.Values) reply {
			if n == 1 {
				return reply{status: 503, header: map[string]string{"Retry-After": "10"}}
			}
			return ok(goodToken)
		}}
		s := a.open(t)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := s.Fetch(ctx, skill)
			wantErr(t, err, context.DeadlineExceeded)
			wantErr(t, err, source.ErrUnavailable)
		})
		synctest.Wait()
		for range 10 {
			wg.Go(func() { fetchOK(t, s) })
		}
		wg.Wait()
	})
}

func TestTokenIsRenewedAMinuteEarly(t *testing.T) {
	tests := map[string]struct {
		answer string
		life   time.Duration
	}{
		"an hour":            {`{"access_token":"Atza|x","expires_in":3600}`, 59 * time.Minute},
		"a string":           {`{"access_token":"Atza|x","expires_in":"3600"}`, 59 * time.Minute},
		"not said":           {`{"access_token":"Atza|x"}`, 59 * time.Minute},
		"zero":               {`{"access_token":"Atza|x","expires_in":0}`, 59 * time.Minute},
		"negative":           {`{"access_token":"Atza|x","expires_in":-7}`, 59 * time.Minute},
		"shorter than early": {`{"access_token":"Atza|x","expires_in":30}`, 15 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := lwaAlways(ok(tt.answer))
				s := a.open(t)
				fetchOK(t, s)
				time.Sleep(tt.life - 2*time.Second)
				fetchOK(t, s)
				if _, lwa := a.calls(); lwa != 1 {
					t.Errorf("got %d calls of LWA within the token's life, want 1", lwa)
				}
				time.Sleep(3 * time.Second)
				fetchOK(t, s)
				if _, lwa := a.calls(); lwa != 2 {
					t.Errorf("got %d calls of LWA after it, want 2", lwa)
				}
			})
		})
	}
}

func TestA401RenewsTheTokenOnce(t *testing.T) {
	t.Run("and the new one helps", func(t *testing.T) {
		a := &amazon{api: func(n int, _ *http.Request) reply {
			if n == 1 {
				return reply{status: 401}
			}
			return ok(goodPair)
		}}
		fetchOK(t, a.open(t))
		if diff := cmp.Diff(a.bearers, []string{"Bearer Atza|token-1", "Bearer Atza|token-2"}); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("for all callers that met it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := &amazon{}
			a.api = func(_ int, r *http.Request) reply {
				time.Sleep(time.Second)
				if r.Header.Get("Authorization") == "Bearer Atza|token-1" {
					return reply{status: 401}
				}
				return ok(goodPair)
			}
			s := a.open(t)
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() { fetchOK(t, s) })
			}
			wg.Wait()
			if _, lwa := a.calls(); lwa != 2 {
				t.Errorf("got %d calls of LWA, want 2", lwa)
			}
		})
	})
	t.Run("as often as it helps", func(t *testing.T) {
		a := &amazon{}
		a.api = func(n int, _ *http.Request) reply {
			if n%2 == 0 {
				return reply{status: 401}
			}
			return ok(goodPair)
		}
		s := a.open(t)
		for range 5 {
			fetchOK(t, s)
		}
		if _, lwa := a.calls(); lwa != 5 {
			t.Errorf("got %d calls of LWA, want 5", lwa)
		}
	})
	t.Run("and not for each skill that is denied", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := always(reply{status: 401})
			s := a.open(t)
			for range 50 {
				_, err := s.Fetch(t.Context(), skill)
				wantErr(t, err, source.ErrDenied)
			}
			if _, lwa := a.calls(); lwa > 3 {
				t.Errorf("got %d calls of LWA for 50 denied skills", lwa)
			}
			time.Sleep(renewEvery)
			_, before := a.calls()
			_, err := s.Fetch(t.Context(), skill)
			wantErr(t, err, source.ErrDenied)
			if _, lwa := a.calls(); lwa != before+1 {
				t.Errorf("got %d calls of LWA later, want 1", lwa-before)
			}
		})
	})
}

func TestLWARefusesForGood(t *testing.T) {
	for code, says := range map[string]string{
		"invalid_grant": "in an earlier run that had no state_dir; make a new one", "invalid_client": "copy both anew", "unauthorized_client": "security profile",
		"invalid_scope": "scope", "invalid_request": "malformed", "unsupported_grant_type": "token_url", "access_denied": "denied", "brand_new_code": "not documented",
	} {
		for _, status := range []int{400, 401, 403, 200} {
			t.Run(fmt.Sprint(status, " ", code), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := lwaAlways(reply{status: status, body: `{"error":"` + code + `","error_description":"the description"}`})
					s := a.open(t)
					for range 10 {
						_, err := s.Fetch(t.Context(), skill)
						wantErr(t, err, source.ErrDenied)
						if !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "the description") || strings.Contains(err.Error(), "brand") {
							t.Errorf("got %q, want %q in it", err, says)
						}
					}
					if api, lwa := a.calls(); api != 0 || lwa != 1 {
						t.Errorf("got %d calls of the API and %d of LWA, want 0 and 1", api, lwa)
					}
					time.Sleep(stickyFailure)
					_, err := s.Fetch(t.Context(), skill)
					wantErr(t, err, source.ErrDenied)
					if _, lwa := a.calls(); lwa != 2 {
						t.Errorf("got %d calls of LWA a minute later, want 2", lwa)
					}
				})
			})
		}
	}
}

// A run of many skills without a token is over at once, not paced to its end.
func TestARefusalIsNotPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := lwaAlways(reply{status: 401, body: `{"error":"invalid_client"}`})
		c := config(t)
		c.RequestsPerSecond, c.MaxRequestsPerSecond = 1, 1
		s := open(c, Options{}, a)
		start := time.Now()
		for range 1000 {
			_, err := s.Fetch(t.Context(), skill)
			wantErr(t, err, source.ErrDenied)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestAReplacedFileEndsARefusal(t *testing.T) {
	for _, replace := range []string{"client_secret", "refresh_token"} {
		t.Run(replace, func(t *testing.T) {
			a := &amazon{lwa: func(_ int, form url.Values) reply {
				if form.Get(replace) != "the-new-one" {
					return reply{status: 400, body: `{"error":"invalid_grant"}`}
				}
				return ok(goodToken)
			}}
			c := config(t)
			s := open(c, Options{}, a)
			if err := s.Denied(); err != nil {
				t.Errorf("denied before anybody was asked: %v", err)
			}
			_, err := s.Fetch(t.Context(), skill)
			wantErr(t, err, source.ErrDenied)
			wantErr(t, s.Denied(), source.ErrDenied)
			file := map[string]credential.Ref{"client_secret": c.ClientSecret, "refresh_token": c.RefreshToken}[replace].File
			if err := os.WriteFile(file, []byte("the-new-one\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			fetchOK(t, s)
			if err := s.Denied(); err != nil {
				t.Errorf("denied after a token: %v", err)
			}
			if _, lwa := a.calls(); lwa != 2 {
				t.Errorf("got %d calls of LWA, want 2", lwa)
			}
		})
	}
}

func TestAMissingFileAsksNobody(t *testing.T) {
	a := &amazon{}
	c := config(t)
	if err := os.Remove(c.RefreshToken.File); err != nil {
		t.Fatal(err)
	}
	_, err := open(c, Options{}, a).Fetch(t.Context(), skill)
	wantErr(t, err, source.ErrDenied)
	if !strings.Contains(err.Error(), "refresh_token: "+c.RefreshToken.File) {
		t.Errorf("%q does not say which file", err)
	}
	if api, lwa := a.calls(); api+lwa != 0 {
		t.Errorf("got %d calls, want none", api+lwa)
	}
}

func TestLWAIsUnavailable(t *testing.T) {
	for name, bad := range map[string]reply{
		"500":              {status: 500, body: "{}"},
		"503 with a code":  {status: 503, body: `{"error":"invalid_grant"}`},
		"HTML in a 200":    ok("<html>"),
		"HTML in a 403":    {status: 403, body: "<html>"},
		"nothing in a 200": ok(""),
		"no token":         ok("{}"),
		"empty token":      ok(`{"access_token":""}`),
		"odd token":        ok(`{"access_token":"a b\r\nX-Evil: 1"}`),
		"endless token":    ok(`{"access_token":"` + strings.Repeat("x", maxToken+1) + `"}`),
		"another type":     ok(`{"access_token":"Atza|x","token_type":"mac"}`),
		"too large":        ok(strings.Repeat(" ", maxTokenAnswer) + goodToken),
		"no answer":        {err: errors.New("gone")},
		"hang":             {hang: true},
		"cut":              {status: 200, body: goodToken[:30], cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := lwaAlways(bad)
				s := a.open(t)
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						_, err := s.Fetch(t.Context(), skill)
						wantErr(t, err, source.ErrUnavailable)
					})
				}
				wg.Wait()
				if api, lwa := a.calls(); api != 0 || lwa != 3 {
					t.Errorf("got %d calls of the API and %d of LWA for eight callers at once, want 0 and 3", api, lwa)
				}
				a.lwa = nil
				time.Sleep(time.Millisecond) // later callers ask anew
				fetchOK(t, s)
			})
		})
	}
}

func TestLWAThrottles(t *testing.T) {
	throttle := map[string]reply{
		"429":             {status: 429, header: map[string]string{"Retry-After": "20"}},
		"slow_down":       {status: 400, body: `{"error":"slow_down"}`, header: map[string]string{"Retry-After": "20"}},
		"429 with a code": {status: 429, body: `{"error":"invalid_grant"}`, header: map[string]string{"Retry-After": "20"}},
	}
	for name, p := range throttle {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &amazon{lwa: func(n int, _ url.Values) reply {
					if n <= 5 {
						return p
					}
					return ok(goodToken)
				}}
				start := time.Now()
				s := a.open(t)
				fetchOK(t, s)
				if got := s.Throttled(); got != 5 {
					t.Errorf("throttled %d times, want 5", got)
				}
				if took := time.Since(start); took < 100*time.Second || took > 110*time.Second {
					t.Errorf("took %v, want five times 20 s", took)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				_, err := lwaAlways(p).open(t).Fetch(ctx, skill)
				wantErr(t, err, source.ErrRateLimited)
			})
		})
	}
}

func TestLWARedirectIsRefused(t *testing.T) {
	a := lwaAlways(reply{status: 302, body: `{"error":"x"}`, header: map[string]string{"Location": "https://elsewhere.example/auth/o2/token"}})
	_, err := a.open(t).Fetch(t.Context(), skill)
	wantErr(t, err, source.ErrInvalid)
	if _, lwa := a.calls(); lwa != 1 {
		t.Errorf("got %d calls of LWA, want 1", lwa)
	}
}

package smapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/credsync/credsync/internal/source"
)

// asks are all that is asked of Amazon, and whether of LWA.
var asks = map[string]struct {
	ask func(context.Context, *Source) error
	lwa bool
}{
	"a token":     {func(ctx context.Context, s *Source) error { _, err := s.Fetch(ctx, skill); return err }, true},
	"a proof":     {func(ctx context.Context, s *Source) error { return s.Verify(ctx, fetched) }, true},
	"a pair":      {func(ctx context.Context, s *Source) error { _, err := s.Fetch(ctx, skill); return err }, false},
	"the vendors": {func(ctx context.Context, s *Source) error { return s.Check(ctx) }, false},
	"the skills":  {func(ctx context.Context, s *Source) error { _, err := s.Skills(ctx, "M1"); return err }, false},
}

// answering is an Amazon of which one peer answers by f, with the number of the
// request.
func answering(lwa bool, f func(n int) reply) *amazon {
	if lwa {
		return &amazon{lwa: func(n int, _ url.Values) reply { return f(n) }}
	}
	return &amazon{api: func(n int, _ *http.Request) reply { return f(n) }}
}

func TestAPermanentOutageCostsThreeRequests(t *testing.T) {
	for _, bad := range []reply{{status: 503}, {status: 503, header: map[string]string{"Retry-After": "1"}}, {err: errors.New("refused")}, {hang: true}} {
		for name, q := range asks {
			t.Run(fmt.Sprint(name, " ", bad.status, bad.header, bad.err, bad.hang), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := answering(q.lwa, func(int) reply { return bad })
					wantErr(t, q.ask(t.Context(), a.open(t)), source.ErrUnavailable)
					api, lwa := a.calls()
					if q.lwa && (lwa != 3 || api != 0) || !q.lwa && (api != 3 || lwa != 1) {
						t.Errorf("got %d requests of the API and %d of LWA", api, lwa)
					}
				})
			})
		}
	}
}

// retryAfters are forms of the header, and the floor that each sets.
var retryAfters = map[string]struct {
	value string
	floor time.Duration
}{
	"seconds":  {"20", 20 * time.Second},
	"a date":   {"Sat, 01 Jan 2000 00:00:20 GMT", 20 * time.Second}, // tests begin at 00:00:00
	"past":     {"Fri, 31 Dec 1999 23:00:00 GMT", 0},
	"huge":     {"1000000000", 15 * time.Minute},
	"negative": {"-20", 0},
	"garbage":  {"soon", 0},
}

// The order is a floor for what follows. What it would take past the deadline is
// not waited for.
func TestRetryAfterInEveryForm(t *testing.T) {
	for form, after := range retryAfters {
		for name, q := range asks {
			for _, status := range []int{429, 503} {
				t.Run(fmt.Sprint(form, " ", name, " ", status), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						a := answering(q.lwa, func(n int) reply {
							if n == 1 {
								return reply{status: status, header: map[string]string{"Retry-After": after.value}}
							}
							return all
						})
						const jitter = 2 * time.Second // and pace
						start := time.Now()
						ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
						defer cancel()
						err := q.ask(ctx, a.open(t))
						took := time.Since(start)
						switch {
						case after.floor < time.Minute && (err != nil || took < after.floor || took > after.floor+jitter):
							t.Errorf("got error %v after %v, want none after %v", err, took, after.floor)
						case after.floor >= time.Minute && (err == nil || took > time.Minute):
							t.Errorf("got error %v after %v, want one before the deadline", err, took)
						}
					})
				})
			}
		}
	}
}

// all is an answer that serves whatever was asked for.
var all = ok(goodToken[:len(goodToken)-1] + `,"vendors":[{"id":"M1"}],"skills":[],` + goodPair[1:])

// What only a person can mend is said once for each time that LWA is asked, not
// for each skill, and with what to do.
func TestARefusalIsSaidLoudly(t *testing.T) {
	for _, code := range []string{"invalid_grant", "invalid_client"} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := lwaAlways(reply{status: 400, body: `{"error":"` + code + `"}`})
				core, logs := observer.New(zap.ErrorLevel)
				s := open(config(t), Options{Log: zap.New(core)}, a)
				for range 3 { // runs of a daemon, an hour apart
					for range 100 {
						_, err := s.Fetch(t.Context(), skill)
						wantErr(t, err, source.ErrDenied)
					}
					time.Sleep(time.Hour)
				}
				_, lwa := a.calls()
				if lwa != 3 || logs.Len() != 3 {
					t.Fatalf("LWA was asked %d times and it was said %d times, want 3 each", lwa, logs.Len())
				}
				if said := fmt.Sprint(logs.All()[0].ContextMap()["cause"]); said != source.ErrDenied.Error()+": "+remedies[code]+" ("+code+", status 400)" {
					t.Errorf("said: %s", said)
				}
			})
		})
	}
}

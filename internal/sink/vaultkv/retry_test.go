package vaultkv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// downFor makes the proxy answer 503 to one operation, and counts how often that
// was asked.
func (s *stand) downFor(operation string) (asked func() int) {
	var mu sync.Mutex
	n := 0
	forward, routes := s.forward, routes{mount: s.mount, version: s.version}
	s.forward = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if routes.operation(r.Method, strings.TrimPrefix(r.URL.Path, "/v1/"), r.URL.Query().Has("list")) != operation {
			forward.ServeHTTP(w, r)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		n++
		refuse(w, http.StatusServiceUnavailable, "no healthy upstream")
	})
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

func TestAPermanent503CostsThreeRequestsOfEachKind(t *testing.T) {
	put := func(s *stand, k *Sink) error {
		_, err := k.Put(s.t.Context(), name, s.record("a"), sink.State{})
		return err
	}
	inspect := func(s *stand, k *Sink) error { _, err := k.Inspect(s.t.Context(), name); return err }
	for operation, tt := range map[string]struct {
		version int
		asks    func(*stand, *Sink) error
		want    int
	}{
		opMetadataRead:  {2, inspect, 3},
		opMountRead:     {2, put, 3},
		opMetadataClaim: {2, put, 3},
		opDataWrite:     {2, put, 3},
		opMetadataPatch: {2, put, 3},
		opList: {2, func(s *stand, k *Sink) error {
			_, err := k.Orphans(s.t.Context(), "prod", nil)
			return err
		}, 3},
		opCapabilities: {2, func(s *stand, k *Sink) error { _, err := k.Check(s.t.Context()); return err }, 3},
		opLogin: {2, func(s *stand, _ *Sink) error {
			s.config.Auth = approle(s.t, "r", "s")
			return inspect(s, s.open())
		}, 3},
		opTokenLookup: {2, func(s *stand, k *Sink) error { return k.client.keep(s.t.Context()) }, 3},
		opTokenRenew: {2, func(s *stand, k *Sink) error {
			held := token{secret: credential.NewSecret(plainToken), renewable: true}
			k.client.tokens.held = held.lasting(time.Hour, time.Now().Add(-31*time.Minute))
			return inspect(s, k) // by a token that is still good
		}, 3},
		opSecretRead:  {1, inspect, 3},
		opSecretWrite: {1, put, 1}, // nothing makes it conditional
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			s := fakeStand(t, tt.version)
			s.t = t
			k := s.open()
			asked := s.downFor(operation)
			if err := tt.asks(s, k); !errors.Is(err, sink.ErrUnavailable) && operation != opTokenRenew {
				t.Errorf("got error %v, want %v", err, sink.ErrUnavailable)
			}
			if got := asked(); got != tt.want {
				t.Errorf("got %d requests, want %d", got, tt.want)
			}
		})
	}
}

// roundTrip is an HTTP transport in one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Retry-After is a floor for the next attempt. One that is further away than the
// deadline, or than a minute, is left to the next run.
func TestRetryAfterInEveryForm(t *testing.T) {
	for form, tt := range map[string]struct {
		value string
		floor time.Duration
		gone  bool // there is no next attempt
	}{
		"seconds":           {"20", 20 * time.Second, false},
		"a date":            {"Sat, 01 Jan 2000 00:00:20 GMT", 20 * time.Second, false}, // tests begin at 00:00:00
		"past":              {"Fri, 31 Dec 1999 23:00:00 GMT", 0, false},
		"past the deadline": {"50", 0, true},
		"huge":              {"1000000000", 0, true},
		"negative":          {"-20", 0, false},
		"garbage":           {"soon", 0, false},
	} {
		for _, status := range []int{429, 503} {
			t.Run(fmt.Sprint(form, " ", status), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &stand{t: t}
					s.config = Config{Address: "http://vault.test", Path: "alexa/{skill_id}", Auth: Auth{Token: s.file("t")}}
					k := s.open()
					asked := 0
					k.client.http.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
						asked++
						answer := &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {tt.value}}, Body: io.NopCloser(strings.NewReader(`{"errors":[]}`)), Request: r}
						if asked > 1 {
							answer.StatusCode = http.StatusNotFound
						}
						return answer, nil
					})
					start := time.Now()
					ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
					defer cancel()
					_, err := k.Inspect(ctx, name)
					took := time.Since(start)
					if tt.gone != (err != nil) || took < tt.floor || took > tt.floor+baseDelay {
						t.Errorf("got error %v after %v and %d requests, want an error: %t, after %v", err, took, asked, tt.gone, tt.floor)
					}
				})
			})
		}
	}
}

// The waits are spread evenly over all of [0, min(5 s, 0.2 s · 2ⁿ)].
func TestFullJitter(t *testing.T) {
	const samples = 100000
	waits := make([][]time.Duration, 6)
	for range samples {
		p := &pace{}
		for n := range waits {
			waits[n] = append(waits[n], p.NextBackOff())
		}
	}
	for n, w := range waits {
		top := min(maxDelay, baseDelay<<n)
		slices.Sort(w)
		worst := 0.0 // Kolmogorov and Smirnov's distance from the uniform distribution
		for i, d := range w {
			worst = max(worst, math.Abs(float64(d)/float64(top)-float64(i)/samples))
		}
		if limit := 3 / math.Sqrt(samples); worst > limit { // p < 1e-7: chance does not fail this
			t.Errorf("wait %d is not uniform up to %v: distance %.4f, limit %.4f; from %v to %v", n+1, top, worst, limit, w[0], w[samples-1])
		}
	}
}

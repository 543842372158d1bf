package smapi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/source"
)

// The waits are spread evenly over all of [0, min(30 s, 0.5 s · 2ⁿ)].
func TestFullJitter(t *testing.T) {
	const samples = 100000
	waits := make([][]time.Duration, 7)
	for range samples {
		b := fullJitter()
		b.Reset()
		for n := range waits {
			waits[n] = append(waits[n], b.NextBackOff())
		}
	}
	for n, w := range waits {
		top := min(30*time.Second, 500*time.Millisecond<<n)
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

func TestRetryAfterIsAFloorForTheWholeSource(t *testing.T) {
	for _, status := range []int{429, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var at []time.Duration
				start := time.Now()
				a := &amazon{api: func(n int, _ *http.Request) reply {
					mu.Lock()
					at = append(at, time.Since(start))
					mu.Unlock()
					if n == 1 {
						return reply{status: status, header: map[string]string{"Retry-After": "60"}}
					}
					return ok(goodPair)
				}}
				s := a.open(t)
				var wg sync.WaitGroup
				wg.Go(func() { fetchOK(t, s) })
				time.Sleep(10 * time.Millisecond)
				wg.Go(func() { fetchOK(t, s) })
				wg.Wait()
				for _, d := range at[1:] {
					if d < 60*time.Second || d > 62*time.Second {
						t.Errorf("a call went %v after the order to wait a minute", d)
					}
				}
			})
		})
	}
}

func fetchOK(t *testing.T, s *Source) {
	t.Helper()
	if _, err := s.Fetch(t.Context(), skill); err != nil {
		t.Error(err)
	}
}

func TestThrottledCallsGoOnUntilTheyPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &amazon{api: func(n int, _ *http.Request) reply {
			if n <= 12 {
				return reply{status: 429}
			}
			return ok(goodPair)
		}}
		s := a.open(t)
		before := s.Pace()
		fetchOK(t, s)
		if s.Pace() >= before {
			t.Errorf("the pace is %v after twelve 429s, it was %v", s.Pace(), before)
		}
	})
}

func TestThrottledToTheEnd(t *testing.T) {
	for name, after := range map[string]string{"silent": "", "short": "2", "huge": "1000000000", "garbage": "soon", "past": "Fri, 31 Dec 1999 00:00:00 GMT"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := always(reply{status: 429, header: map[string]string{"Retry-After": after}})
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				start := time.Now()
				_, err := a.open(t).Fetch(ctx, skill)
				wantErr(t, err, source.ErrRateLimited)
				if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, source.ErrUnavailable) {
					t.Errorf("got %v, want the one class", err)
				}
				if took := time.Since(start); took > 10*time.Minute {
					t.Errorf("went on for %v, past the deadline", took)
				}
				if api, _ := a.calls(); api > 330 {
					t.Errorf("%d calls in ten minutes are no slowing down", api)
				}
			})
		})
	}
}

func TestThrottlingIsNoFailedAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		statuses := []int{429, 503, 429, 429, 500, 429, 200}
		a := &amazon{api: func(n int, _ *http.Request) reply { return reply{status: statuses[n-1], body: goodPair} }}
		fetchOK(t, a.open(t))
	})
}

func TestDeadlineAndCancel(t *testing.T) {
	tests := map[string]struct {
		reply    reply
		answered bool // the peer said why it gives no answer
	}{
		"while it hangs":     {reply{hang: true}, false},
		"between the tries":  {reply{status: 503, header: map[string]string{"Retry-After": "3"}}, true},
		"in an endless hold": {reply{status: 503, header: map[string]string{"Retry-After": "99999"}}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				_, err := always(tt.reply).open(t).Fetch(ctx, skill)
				wantErr(t, err, context.DeadlineExceeded)
				if got := errors.Is(err, source.ErrUnavailable); got != tt.answered {
					t.Errorf("got %v: unavailable: %v, want %v", err, got, tt.answered)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(errors.New("the cause is the caller's")) })
				start := time.Now()
				_, err := always(tt.reply).open(t).Fetch(ctx, skill)
				wantErr(t, err, context.Canceled)
				if took := time.Since(start); took != time.Second {
					t.Errorf("returned after %v, want 1 s", took)
				}
				if strings.Contains(err.Error(), "caller") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
	t.Run("over before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		a := &amazon{}
		_, err := a.open(t).Fetch(ctx, skill)
		wantErr(t, err, context.Canceled)
		if api, lwa := a.calls(); api+lwa != 0 {
			t.Errorf("got %d calls, want none", api+lwa)
		}
	})
}

// A limit that is not told is found, and held, at little cost.
func TestPaceFindsTheLimit(t *testing.T) {
	for _, tt := range []struct {
		limit  float64
		skills int
	}{{5, 100}, {10, 200}, {20, 100}, {20, 1000}, {45, 1000}} {
		t.Run(fmt.Sprint(tt.skills, " skills at ", tt.limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took, calls := syncAt(t, tt.limit, tt.skills)
				best := float64(tt.skills) / tt.limit
				t.Logf("%.1f s, the best is %.1f s; %d calls", took, best, calls)
				if took > 1.3*best+2 || calls > tt.skills*115/100 {
					t.Errorf("took %.1f s and %d calls", took, calls)
				}
			})
		})
	}
}

// syncAt fetches skills from an Amazon that allows limit calls a second.
func syncAt(t *testing.T, limit float64, skills int) (seconds float64, calls int) {
	t.Helper()
	var mu sync.Mutex
	bucket, last := 1.0, time.Now()
	a := &amazon{api: func(int, *http.Request) reply {
		time.Sleep(100 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		bucket = min(max(1, limit/4), bucket+time.Since(last).Seconds()*limit)
		if last = time.Now(); bucket < 1 {
			return reply{status: 429}
		}
		bucket--
		return ok(goodPair)
	}}
	c := config(t)
	c.RequestsPerSecond, c.MaxRequestsPerSecond = 5, 50
	s := open(c, Options{}, a)
	start := time.Now()
	jobs := make(chan struct{})
	var wg sync.WaitGroup
	for range c.Workers() {
		wg.Go(func() {
			for range jobs {
				fetchOK(t, s)
			}
		})
	}
	for range skills {
		jobs <- struct{}{}
	}
	close(jobs)
	wg.Wait()
	calls, _ = a.calls()
	return time.Since(start).Seconds(), calls
}

func TestEveryAttemptIsObservedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &amazon{api: func(n int, r *http.Request) reply {
			switch {
			case strings.HasSuffix(r.URL.Path, "/vendors"):
				return ok(`{"vendors":[{"id":"M1"}]}`)
			case strings.HasSuffix(r.URL.Path, "/skills"):
				return ok(`{"skills":[]}`)
			case n == 1:
				return reply{status: 503}
			case n == 2:
				return reply{err: errors.New("gone")}
			}
			return ok(goodPair)
		}}
		got := map[string]int{}
		observe := func(target, operation string, status int, _ time.Duration) {
			got[fmt.Sprint(target, " ", operation, " ", status)]++
		}
		s := open(config(t), Options{Observe: observe}, a)
		c, err := s.Fetch(t.Context(), skill)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(t.Context(), c); err != nil {
			t.Error(err)
		}
		if _, err := s.Skills(t.Context(), ""); err != nil {
			t.Error(err)
		}
		want := map[string]int{
			"lwa token 200": 1, "lwa verify 200": 1, "smapi credentials 503": 1, "smapi credentials 0": 1,
			"smapi credentials 200": 1, "smapi vendors 200": 1, "smapi skills 200": 1,
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Error(diff)
		}
	})
}

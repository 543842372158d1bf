package awssm

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credsync/credsync/internal/sink"
)

// downFor makes the gate answer 503 to one operation, and counts how often that
// was asked.
func (r *rig) downFor(operation string, header http.Header) *atomic.Int32 {
	var asked atomic.Int32
	r.gate.instead = func(w http.ResponseWriter, q *http.Request) bool {
		if operationOf(q) != operation {
			return false
		}
		asked.Add(1)
		for key := range header {
			w.Header().Set(key, header.Get(key))
		}
		answerError(w, http.StatusServiceUnavailable, "ServiceUnavailable", "")
		return true
	}
	return &asked
}

func TestAPermanent503CostsThreeRequestsOfEachKind(t *testing.T) {
	put := func(prev func(sink.State) sink.State) func(*rig, sink.State) error {
		return func(r *rig, s sink.State) error {
			_, err := r.sink.Put(r.Context(), name, recordOf(r.T, "b"), prev(s))
			return err
		}
	}
	for operation, ask := range map[string]func(*rig, sink.State) error{
		"DescribeSecret":           func(r *rig, _ sink.State) error { _, err := r.sink.Inspect(r.Context(), name); return err },
		"ListSecrets":              func(r *rig, _ sink.State) error { return r.sink.List(r.Context(), "prod", func(string, sink.State) {}) },
		"CreateSecret":             put(func(sink.State) sink.State { return sink.State{} }),
		"PutSecretValue":           put(func(s sink.State) sink.State { return s }),
		"UpdateSecretVersionStage": put(func(s sink.State) sink.State { return s }),
		"TagResource":              put(func(s sink.State) sink.State { s.Key = "another"; return s }),
		"RestoreSecret":            put(func(s sink.State) sink.State { s.Deleted = true; return s }),
	} {
		t.Run(operation, func(t *testing.T) {
			r := newRig(t)
			prev := r.put("a")
			asked := r.downFor(operation, nil)
			wantError(t, ask(r, prev), sink.ErrUnavailable)
			if got := asked.Load(); got != 3 {
				t.Errorf("got %d requests, want 3", got)
			}
		})
	}
}

// AWS announces no time in Retry-After, and its SDK heeds none: the waits are its
// own, however long the header wants us to.
func TestRetryAfterIsNotForAWS(t *testing.T) {
	for _, after := range []string{"20", "1000000000", "-20", "soon", "Fri, 31 Dec 1999 23:00:00 GMT", "Sat, 01 Jan 2050 00:00:00 GMT"} {
		r := newRig(t)
		asked := r.downFor("DescribeSecret", http.Header{"Retry-After": {after}})
		start := time.Now()
		_, err := r.sink.Inspect(t.Context(), name)
		wantError(t, err, sink.ErrUnavailable)
		if took := time.Since(start); asked.Load() != attempts || took > 10*time.Second {
			t.Errorf("%s: %d requests in %v", after, asked.Load(), took)
		}
	}
}

// The waits are spread evenly over all of [0, min(5 s, 1 s · 2ⁿ)].
func TestFullJitter(t *testing.T) {
	const samples = 100000
	retryer := newRetryer(Options{})
	for n := 1; n < attempts; n++ {
		top := min(maxDelay, time.Second<<n)
		waits := make([]time.Duration, samples)
		for i := range waits {
			var err error
			if waits[i], err = retryer.RetryDelay(n, errors.New("any")); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(waits)
		worst := 0.0 // Kolmogorov and Smirnov's distance from the uniform distribution
		for i, d := range waits {
			worst = max(worst, math.Abs(float64(d)/float64(top)-float64(i)/samples))
		}
		if limit := 3 / math.Sqrt(samples); worst > limit { // p < 1e-7: chance does not fail this
			t.Error(fmt.Sprintf("wait %d is not uniform up to %v: ", n, top), worst, limit)
		}
	}
}

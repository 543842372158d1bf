package syncer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

// hang is a peer that accepts and never answers.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestAListingThatHangsLeavesTheOtherSinksTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 20, "hung", "one")
		b.job.Timeout = 30 * time.Second
		b.sinks["hung"].Before = func(ctx context.Context, method, _ string) error {
			if method == "List" {
				return hang(ctx)
			}
			t.Errorf("%s was asked of a sink whose listing failed", method)
			return nil
		}
		s, r := b.sync(Options{})
		b.want(s, Failed, 20, Created, 20)
		if got := r.of(skill(0), "hung").Reason; got != Timeout {
			t.Errorf("reason %s, want %s", got, Timeout)
		}
	})
}

// However many ask, a peer that is down is asked 20 times, and then once in 30 s
// until it is back.
func TestTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &breaker{peer: "peer", down: sink.ErrUnavailable}
		var asked atomic.Int32
		down := true
		ask := func() error {
			return b.do(func() error {
				asked.Add(1)
				if time.Sleep(time.Second); down {
					return fmt.Errorf("connection refused: %w", sink.ErrUnavailable)
				}
				return nil
			})
		}
		want := func(what string, least, most int32) {
			t.Helper()
			if got := asked.Swap(0); got < least || got > most {
				t.Errorf("%s: asked %d times, want %d to %d", what, got, least, most)
			}
		}
		for range 1000 {
			if err := ask(); !errors.Is(err, sink.ErrUnavailable) {
				t.Fatalf("got error %v", err)
			}
		}
		want("until it opens", 20, 20)
		crowd := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() { _ = ask() })
				}
				wg.Wait()
			}
		}
		crowd(29 * time.Second)
		want("in the first 30 s", 0, 0)
		crowd(5 * time.Minute)
		want("in five minutes", 9, 10)
		down = false
		time.Sleep(31 * time.Second)
		for range 100 {
			if err := ask(); err != nil {
				t.Fatalf("back again: %v", err)
			}
		}
		want("once it is back", 100, 100)
	})
}

func TestOnlyFailuresInARowOpenTheBreaker(t *testing.T) {
	for name, between := range map[string]error{"an answer": nil, "a refusal": sink.ErrDenied, "a conflict": sink.ErrConflict} {
		b := &breaker{peer: "peer", down: sink.ErrUnavailable}
		for n := range 10 * breakerFailures {
			err := sink.ErrUnavailable
			if n%breakerFailures == breakerFailures-1 {
				err = between
			}
			if got := b.do(func() error { return err }); !errors.Is(got, err) || errors.Is(got, sink.ErrUnavailable) != errors.Is(err, sink.ErrUnavailable) {
				t.Fatalf("%s: got %v for call %d, want %v", name, got, n, err)
			}
		}
	}
	b := &breaker{peer: "peer", down: sink.ErrUnavailable}
	asked := 0
	for range 10 * breakerFailures {
		_ = b.do(func() error {
			asked++
			return fmt.Errorf("%w after: %w", context.DeadlineExceeded, sink.ErrUnavailable)
		})
	}
	if asked != 10*breakerFailures {
		t.Errorf("the end of a context counted against the peer: asked %d times", asked)
	}
}

// With a peer down all along, 1,000 skills cost it a few calls.
func TestATotalOutageCostsFewCalls(t *testing.T) {
	const skills = 1000
	for _, down := range []string{"source", "sink"} {
		t.Run(down, func(t *testing.T) {
			b := newBench(t, skills, "one", "two")
			b.job.Workers = 8
			var asked atomic.Int32
			limit := int32(20 + 8 - 1) // to open it, and those in flight meanwhile
			switch down {
			case "source":
				b.amazon.before = func(context.Context, credential.SkillID) error {
					asked.Add(1)
					return source.ErrUnavailable
				}
			default:
				b.job.Targets[0].Sink = struct{ sink.Sink }{b.sinks["one"]} // no listing
				b.sinks["one"].Before = func(context.Context, string, string) error { asked.Add(1); return errDown }
				limit *= 3 // attempts of each call
			}
			s, _ := b.sync(Options{})
			if down == "source" {
				b.want(s, Failed, 2*skills)
			} else {
				b.want(s, Failed, skills, Created, skills)
			}
			if got := asked.Load(); got > limit {
				t.Errorf("asked %d times, want %d at most", got, limit)
			}
			if len(s.Healable) != skills {
				t.Errorf("%d skills are to be healed, want all", len(s.Healable))
			}
		})
	}
}

// A sink that comes back while the run goes on gets the rest of it.
func TestASinkThatComesBackIsUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const skills, outage = 600, time.Minute
		b := newBench(t, skills, "one", "two")
		b.job.Workers = 1
		b.job.Targets[0].Sink = struct{ sink.Sink }{b.sinks["one"]}
		b.amazon.before = func(context.Context, credential.SkillID) error { // 5 a second
			time.Sleep(200 * time.Millisecond)
			return nil
		}
		begin := time.Now()
		b.sinks["one"].Before = func(context.Context, string, string) error {
			if time.Since(begin) < outage {
				return errDown
			}
			return nil
		}
		s, _ := b.sync(Options{})
		// The outage takes 300 of the skills, and finding out that it is over 150 at most.
		if got := s.Counts[Created] - skills; got < skills-450 || got > skills-290 || s.Counts[Failed]+s.Counts[Created] != 2*skills {
			t.Errorf("%d skills reached the sink, outcomes %v", got, s.Counts)
		}
	})
}

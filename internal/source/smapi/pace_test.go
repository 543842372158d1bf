package smapi

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestPaceSpacesCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(5, 50)
		start := time.Now()
		for range 11 {
			if _, err := p.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := time.Since(start), 2*time.Second; got.Round(time.Millisecond) != want {
			t.Errorf("11 calls at 5 a second took %v, want %v", got, want)
		}
	})
}

// The system wakes callers late. That must not slow what has no limit, nor
// shorten a gap for a peer that has one.
func TestPaceCatchesUpUntilItIsThrottled(t *testing.T) {
	for name, tt := range map[string]struct {
		throttled bool
		gap       time.Duration
	}{
		"never throttled": {false, 3 * time.Millisecond},
		"throttled":       {true, 4 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPace(250, 250)
				s, _ := p.Wait(t.Context())
				if tt.throttled {
					p.Throttled(s, 0)
					p.tempo.rate = 250
				}
				time.Sleep(5 * time.Millisecond)
				_, _ = p.Wait(t.Context()) // a millisecond late
				start := time.Now()
				_, _ = p.Wait(t.Context())
				if got := time.Since(start); got != tt.gap {
					t.Errorf("the next went after %v, want %v", got, tt.gap)
				}
			})
		})
	}
}

func TestPaceRisesWhileItIsWhatCallsWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(5, 20)
		idle, _ := p.Wait(t.Context())
		p.Succeeded(idle)
		if got, want := p.Rate(), 5.0; got != want {
			t.Errorf("got %v after a call that did not have to wait, want %v", got, want)
		}
		for range 5 {
			s, _ := p.Wait(t.Context())
			p.Succeeded(s)
		}
		if got := p.Rate(); got < 10 {
			t.Errorf("got %v after five that did, want twice as much", got)
		}
		for range 100 {
			s, _ := p.Wait(t.Context())
			p.Succeeded(s)
		}
		if got, want := p.Rate(), 20.0; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestPaceTakesTheThrottlingOfAFlightForOneNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(10, 50)
		first, _ := p.Wait(t.Context())
		p.Succeeded(first)
		var slots []slot
		for range 8 {
			s, _ := p.Wait(t.Context())
			slots = append(slots, s)
		}
		for _, s := range slots {
			p.Throttled(s, 0)
		}
		once := p.Rate()
		if once < 5 || once > 9.9 {
			t.Errorf("got %v after eight of one flight were throttled, want one cut of 10", once)
		}
		s, _ := p.Wait(t.Context())
		p.Throttled(s, 0)
		if got, want := p.Rate(), once*cutTo; math.Abs(got-want) > 1e-9 {
			t.Errorf("got %v after one of the next, want %v", got, want)
		}
	})
}

func TestPaceFallsToItsFloorAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(5, 50)
		for range 200 {
			s, err := p.Wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			p.Throttled(s, 0)
		}
		if got := p.Rate(); got != slowest {
			t.Errorf("got %v, want the floor, %v", got, slowest)
		}
		comesBack(t, p, 1)
	})
}

// comesBack lets calls through until p is at rate again, which must not take long.
func comesBack(t *testing.T, p *pace, rate float64) {
	t.Helper()
	start := time.Now()
	for p.Rate() < rate {
		s, _ := p.Wait(t.Context())
		p.Succeeded(s)
	}
	if took := time.Since(start); took > 3*time.Minute {
		t.Errorf("back at %v a second after %v, want 3 min at most", rate, took)
	}
}

// A stranger who takes no turns, and all that comes free but one call in three,
// leaves a rate to go on with, and to come back from.
func TestPaceKeepsARateAgainstAStranger(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			p := newPace(5, 50)
			p.tempo.hard, p.tempo.phase, p.tempo.base, p.tempo.step = true, cruise, 5, fineStep
			for n := range 400 {
				s, err := p.Wait(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if n%3 != 1 {
					p.Throttled(s, wait)
				} else {
					p.Succeeded(s)
				}
				if got := p.tempo.rate; got < slowest || got > 50 {
					t.Fatalf("got %v after %d calls, want something between %v and 50", got, n+1, slowest)
				}
			}
			comesBack(t, p, 5)
		})
	}
}

func TestPaceHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(1, 1)
		f, _ := p.Wait(t.Context())
		start := time.Now()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, err := p.Wait(t.Context()); err != nil || time.Since(start) < 10*time.Second {
					t.Errorf("went after %v (%v), want 10 s at least", time.Since(start), err)
				}
			})
		}
		time.Sleep(time.Second / 2) // one has its slot booked by now
		p.Throttled(f, 10*time.Second)
		p.Hold(time.Second) // does not shorten
		wg.Wait()
	})
}

func TestPaceHonoursTheContext(t *testing.T) {
	t.Run("over before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := newPace(5, 50).Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("cancelled behind others", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPace(0.01, 50)
			_, _ = p.Wait(t.Context())
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					if _, err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
						t.Errorf("got %v", err)
					}
				})
			}
			time.Sleep(time.Second)
			start := time.Now()
			cancel()
			wg.Wait()
			if took := time.Since(start); took != 0 {
				t.Errorf("returned %v later", took)
			}
		})
	})
	t.Run("a slot or a hold beyond the deadline is not waited for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			slow, held := newPace(0.1, 50), newPace(5, 50)
			_, _ = slow.Wait(ctx)
			held.Hold(time.Minute)
			start := time.Now()
			for _, p := range []*pace{slow, held} {
				if _, err := p.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
			}
			if took := time.Since(start); took != 0 {
				t.Errorf("returned after %v", took)
			}
		})
	})
}

// A rise of the rate reaches callers that wait already.
func TestPaceDoesNotLeaveWaitersBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(slowest, 50)
		start := time.Now()
		var wg sync.WaitGroup
		for range 9 {
			wg.Go(func() {
				s, err := p.Wait(t.Context())
				if err != nil {
					t.Error(err)
				}
				p.Succeeded(s)
			})
		}
		wg.Wait()
		if took := time.Since(start); took > 70*time.Second {
			t.Errorf("nine calls took %v from a floor of one in 30 s, though all succeeded", took)
		}
	})
}

package smapi

import (
	"math"
	"time"
)

const (
	slowest  = 1.0 / 30 // requests a second, however often we are throttled
	quiet    = 7500 * time.Millisecond
	quietRun = 40              // calls that a cruise lasts at least, so that few of them all are throttled
	dearness = 12              // a cruise lasts so many times what the peer made us wait
	bucket   = 10              // calls that a peer may let through at once after a rest
	margin   = 0.99            // of what got through last, to cruise at
	cutTo    = 0.85            // what a cut leaves of the rate
	fineStep = 0.01            // of the rate: the first step of a search; each is 1.4 times the one before
	topStep  = 0.05            // of the rate: the last
	early    = 2 * time.Second // after a cut: a 429 then says that the rate was guessed wrong
)

// A tempo learns the rate that a peer allows, which is not told, may change, and
// may be shared with others. It believes in a token bucket and goes through
// phases; a 429 ends each of them:
//
//   - start: the rate grows fast, until the first 429.
//   - cruise: the rate stays just under what got through, for some seconds, because
//     the next 429 costs: a call where it is free, the wait where it is not.
//   - search: the rate grows in steps, small ones first, to see if there is more.
//   - yield: a 429 came where there should be none, so the peer allows less than
//     before, or somebody else is there. The rate is cut and grows slowly, by less
//     than its share if it is high and more if it is low: that makes shares even.
//
// The one thing that a 429 does not tell is how much the peer lets through after
// a rest: a "hard" one throttles the first call that comes too soon, a "soft" one
// after up to ten more. A tempo takes it for hard until that is refuted.
type tempo struct {
	rate, most, floor float64
	phase             phase
	soft              bool
	cuts              int     // since the last quiet cruise
	base              float64 // where the flight began
	known             float64 // what an earlier tempo learned; 0 = nothing
	step              float64 // of the rate, to grow by

	flight  flight
	rest    time.Duration // how long the peer made us wait before it
	begun   time.Time     // when its first call went
	calls   int           // let go in it
	through int           // of them
	fastest float64       // rate at which one of them got through
	recent  [64]time.Time // when the last of them went
}

type phase int

const (
	start phase = iota
	cruise
	search
	yield
)

// A flight is all calls that were let go between two 429s that were news. What
// they meet is one piece of news, however many of them bring it.
type flight uint64

// A slot is a call's leave to go.
type slot struct {
	flight flight
	n      int // of the flight, from 1
	at     time.Time
	rate   float64 // by the gap before it; 0 for the first of a flight
	waited bool    // the pace was what it waited for
}

func newTempo(first, most float64) tempo {
	return tempo{rate: first, most: most, floor: min(slowest, first), rest: time.Hour}
}

func (t *tempo) gap() time.Duration { return time.Duration(float64(time.Second) / t.rate) }

// sent notes that a call went at now, gap after the one before.
func (t *tempo) sent(now time.Time, gap time.Duration, waited bool) slot {
	s := slot{flight: t.flight, n: t.calls + 1, at: now, waited: waited}
	if t.calls == 0 {
		t.begun = now
	} else {
		s.rate = 1 / gap.Seconds()
	}
	t.recent[t.calls%len(t.recent)] = now
	t.calls++
	return s
}

// succeeded lets the rate grow as the phase has it, where the rate was what held
// the call up: else nobody knows if the peer would have allowed more.
func (t *tempo) succeeded(s slot, now time.Time) {
	if s.flight != t.flight {
		return
	}
	t.through++
	t.fastest = max(t.fastest, s.rate)
	if !s.waited {
		return
	}
	if calm := max(quiet, dearness*t.rest); t.phase != start && t.phase != search && t.through >= quietRun && now.Sub(t.begun) >= calm {
		t.phase, t.cuts = search, 0
	}
	grow := 0.0
	switch t.phase {
	case start:
		grow = min(4, max(t.rate/3, min(t.rate, 0.5)))
	case search:
		grow = min(2, t.rate*t.step)
		t.step = min(topStep, t.step*1.4)
	case yield:
		grow = min(0.3*math.Pow(t.rate, -0.25), t.rate)
	}
	t.rate = min(t.most, t.rate+grow)
}

// throttled hears of a 429. A flight is news once.
func (t *tempo) throttled(s slot, after time.Duration) {
	if s.flight != t.flight {
		return
	}
	t.rate = max(t.floor, t.next(s, after))
	t.base, t.step = t.rate, fineStep
	t.flight++
	t.rest, t.calls, t.through, t.fastest = after, 0, 0, 0
}

// next returns the rate to go on with after a 429, and changes the phase.
func (t *tempo) next(s slot, after time.Duration) float64 {
	was, n, took := t.phase, s.n-1, s.at.Sub(t.begun)
	hard := margin * min(t.rate, t.fastest, s.rate)
	guessed := was == cruise && took < early
	if guessed {
		t.soft = n >= bucket || t.cuts > 0 && n > 2
	}
	t.phase = cruise
	switch {
	case was == start && after == 0 && n >= bucket: // a 429 is free: ask again from below
		t.phase = search
		return max(t.burst(s), t.rate/8)
	case was == start:
		return max(hard, t.rate/2)
	case n < 2 || hard == 0 || was == yield || was == cruise && !t.soft:
		t.cuts++
		if t.cuts%2 == 0 && n >= 2 && hard > 0 { // is it still so? nobody cuts for ever
			return hard
		}
		t.phase = yield
		return t.rate * cutTo
	case t.soft:
		r := max(min(t.average(s, took), hard), t.rate/4)
		if r == t.rate/4 || r > 1.2*t.base {
			t.phase = search
		}
		return r
	}
	return hard
}

// burst returns the rate of the bucket that explains the 429 in slot s best, if
// the bucket had been full.
func (t *tempo) burst(s slot) (r float64) {
	for i := max(0, s.n-len(t.recent)); i < s.n-1; i++ {
		if d := s.at.Sub(t.recent[i%len(t.recent)]); d > 0 {
			r = max(r, float64(s.n-i-bucket)/d.Seconds())
		}
	}
	return r
}

// average returns the rate that a soft peer allows, if it was empty when the
// flight began and filled up in the rest before, and spends such a rest over the
// next cruise.
func (t *tempo) average(s slot, took time.Duration) float64 {
	n, secs, rest := float64(s.n-1), took.Seconds(), t.rest.Seconds()
	r := max((n-bucket)/secs, (n-1)/(secs+rest))
	saved := min(bucket, 1+r*rest)
	return max(0.97*t.burst(s), r+0.7*saved/max(quiet, dearness*t.rest).Seconds())
}

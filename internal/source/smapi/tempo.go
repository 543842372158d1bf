package smapi

import (
	"math"
	"time"
)

const (
	slowest  = 1.0 / 30 // requests a second, however often we are throttled
	quiet    = 7500 * time.Millisecond
	quietRun = 40   // calls that a cruise lasts at least, so that few of them all are throttled
	dearness = 9    // a cruise lasts so many times what the peer made us wait
	margin   = 0.99 // of what got through last, to cruise at
	fineStep = 0.01 // of the rate: the first step of a search; each is 1.4 times the one before
	topStep  = 0.05 // of the rate: the last
	boldStep = 0.25 // of the rate: each, where little is known and time is short
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
// after up to ten more. A tempo takes it for hard until that is refuted. Others
// have to be let in by a hard one: see turns.
type tempo struct {
	rate, most, floor float64
	phase             phase
	soft              bool
	hard              bool    // the last search has shown it
	cuts              int     // since the last quiet cruise
	base              float64 // where the flight began
	from              float64 // where the search began
	known             float64 // what an earlier tempo learned; 0 = nothing
	step              float64 // of the rate, to grow by
	tried             bool    // bold steps, since others were met
	turns             turns
	lag               time.Duration // there and back
	last              time.Time     // when a call went that got through

	flight  flight
	crowded bool          // others were believed in when it began
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
	asks   bool    // the first after a silence
}

func newTempo(first, most float64) tempo {
	return tempo{rate: first, most: most, floor: min(slowest, first), rest: time.Hour, turns: turns{asks: true}}
}

func (t *tempo) gap() time.Duration { return gapOf(t.rate) }

func gapOf(rate float64) time.Duration { return time.Duration(float64(time.Second) / rate) }

// knocks reports whether the next call asks for a turn of ours.
func (t *tempo) knocks() bool { return t.turns.shared() && t.turns.asks }

// next returns how long after the last call the next may go.
func (t *tempo) next() time.Duration {
	if t.knocks() {
		return gapOf(t.most)
	}
	return t.gap()
}

// now returns the rate at which calls go.
func (t *tempo) now() float64 {
	if t.knocks() && t.turns.idle > 0 {
		return min(t.rate, 1/t.turns.idle.Seconds())
	}
	return t.rate
}

// sent notes that a call went at now, gap after the one before.
func (t *tempo) sent(now time.Time, gap time.Duration, waited bool) slot {
	s := slot{flight: t.flight, n: t.calls + 1, at: now, waited: waited, asks: t.turns.asks}
	t.turns.asks = false
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
// the call up: else nobody knows if the peer would have allowed more. It returns
// for how long no call is to go now.
func (t *tempo) succeeded(s slot, now time.Time) time.Duration {
	t.lag = now.Sub(s.at)
	if s.flight != t.flight {
		return 0
	}
	t.through++
	t.fastest = max(t.fastest, s.rate)
	if t.phase == start && t.crowded && s.n == 1 && !s.asks { // between 429s: a gap that is long enough
		t.rate = min(t.rate, 1/s.at.Sub(t.last).Seconds())
		t.fastest = t.rate
	}
	t.last = s.at
	if s.waited {
		t.grow(now)
	}
	rest := t.turns.through(s, now, t.gap(), t.hard)
	if rest > 0 && t.phase == search {
		t.phase, t.rate = cruise, min(t.rate, margin*t.fastest)
	}
	return rest
}

func (t *tempo) grow(now time.Time) {
	if long, calls := t.cruise(); (t.phase == cruise || t.phase == yield) && t.through >= calls && now.Sub(t.begun) >= long {
		t.seek()
	}
	grow := 0.0
	switch t.phase {
	case start:
		grow = min(4, max(t.rate/3, min(t.rate, 0.5)))
	case search:
		grow = min(2, t.rate*t.step)
		t.step = max(t.step, min(topStep, t.step*1.4))
	case yield:
		grow = min(0.3*math.Pow(t.rate, -0.25), t.rate)
	}
	t.rate = min(t.most, t.rate+grow)
}

// cruise returns how long one lasts, and how many calls.
func (t *tempo) cruise() (long time.Duration, calls int) {
	switch {
	case !t.crowded:
		return max(quiet, dearness*t.rest), quietRun
	case !t.hard && !t.tried:
		return 0, 2
	}
	return t.turns.long(t.gap()) * 6 / 10, few
}

// seek begins a search: in turns a bold one first, and once more after a cruise
// at what it found.
func (t *tempo) seek() {
	t.phase, t.cuts, t.from = search, 0, t.rate
	if t.crowded && !t.hard {
		t.hard, t.tried, t.step = t.tried, true, boldStep
	}
}

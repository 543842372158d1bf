package smapi

import "time"

const (
	bucket = 10              // calls that a soft peer may let through at once after a rest
	cutTo  = 0.85            // what a cut leaves of the rate
	early  = 2 * time.Second // after a cut: a 429 then says that the rate was guessed wrong
)

// learn takes a 429 for what the rate met, and begins another flight.
func (t *tempo) learn(s slot, after time.Duration) {
	t.rate = max(t.floor, t.guess(s, after))
	t.base, t.step = t.rate, fineStep
	t.pass(after)
}

// pass begins another flight after a 429, whatever that was about.
func (t *tempo) pass(after time.Duration) {
	t.flight++
	t.rest, t.calls, t.through, t.fastest = after, 0, 0, 0
}

// guess returns the rate to go on with after a 429, and changes the phase.
func (t *tempo) guess(s slot, after time.Duration) float64 {
	was, n, took := t.phase, s.n-1, s.at.Sub(t.begun)
	hard := margin * min(t.rate, t.fastest, s.rate)
	if !t.turns.shared() {
		t.classify(n, took)
	}
	t.phase = cruise
	switch {
	case was == start && after == 0 && n >= bucket && !t.turns.shared(): // a 429 is free: ask again from below
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

// classify says whether the peer is hard or soft, from a 429 after n calls that
// nobody else has to do with. A search that went far beyond the rate it began at
// met no hard one; a cruise that ended early was at a rate that a soft one does
// not allow.
func (t *tempo) classify(n int, took time.Duration) {
	switch {
	case t.phase == search && n > few:
		t.hard = !t.soft && t.rate < 1.1*t.from
	case t.phase == cruise && took < early && !t.hard:
		t.soft = n >= bucket || t.cuts > 0 && n > 2
	}
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

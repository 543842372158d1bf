package smapi

import "time"

// nearby is how far a peer may be for turns: beyond, too much is under way when news
// comes.
const nearby = 40 * time.Millisecond

// far reports whether nobody could tell whose turn it is.
func (t *tempo) far() bool { return t.lag > nearby || t.hard && t.lag >= 3*t.gap() }

// throttled hears of a 429 at now, which is news once for a flight: it is about the
// rate, or about others. It returns for how long no call is to go, beyond what the
// peer wants.
func (t *tempo) throttled(s slot, after time.Duration, now time.Time) time.Duration {
	t.lag = now.Sub(s.at)
	if s.flight != t.flight {
		return 0
	}
	t.turns.price = after
	rest := t.judge(s, after, now)
	t.crowded = t.turns.shared()
	return rest
}

func (t *tempo) judge(s slot, after time.Duration, now time.Time) time.Duration {
	switch {
	case t.soft || t.far():
		t.turns.leave()
		t.learn(s, after)
		return 0
	case s.asks && t.refused(now):
		return t.ask(after, now)
	case t.turns.shared():
		return t.disturbed(s, after, now)
	}
	return t.surprised(s, after, now)
}

// refused counts the calls in a row that asked and were throttled. It reports
// whether that means others: to one who knows little of the peer, the second time.
func (t *tempo) refused(now time.Time) bool {
	u := &t.turns
	if u.refused++; u.refused == 1 {
		u.since = now
	}
	return t.hard || t.fresh() || u.met || u.refused > 1
}

// fresh reports whether nothing was learned yet.
func (t *tempo) fresh() bool { return t.base == 0 && t.known == 0 }

// ask has a call ask for a turn once more.
func (t *tempo) ask(after time.Duration, now time.Time) time.Duration {
	fresh := t.fresh()
	t.pass(after)
	u := &t.turns
	switch bold := min(t.most, u.bold()); {
	case fresh:
		t.rate = bold
	case t.phase == start || !t.hard && !t.tried && (after == 0 || t.rate < bold):
		t.phase, t.rate = start, max(t.rate, bold)
	}
	return u.wait(now, !fresh, t.gap())
}

// disturbed hears of a 429 while others are there.
func (t *tempo) disturbed(s slot, after time.Duration, now time.Time) time.Duration {
	u := &t.turns
	was, n := t.phase, s.n-1
	late := was != start && !u.begun.IsZero() && s.at.Sub(t.begun) >= u.long(t.gap())/2
	switch {
	case n < few && (was != start || t.fastest == 0):
		return t.robbed(after)
	case late && was != search: // the other wants its turn
		t.pass(after)
		return u.end(now)
	case !late && was == cruise && t.interrupted():
		t.pass(after)
		return 0
	}
	t.learn(s, after)
	switch {
	case t.soft:
		u.leave()
	case was == search && !u.begun.IsZero():
		return u.end(now)
	}
	return t.free(was, after)
}

// robbed hears that next to nothing got through in our turn: the rate is too high,
// or it is another's turn after all.
func (t *tempo) robbed(after time.Duration) time.Duration {
	u := &t.turns
	t.pass(after)
	switch t.phase {
	case start:
		t.rate /= 2
	case search:
		t.rate, t.phase = max(t.floor, min(t.rate, t.base)), cruise
	}
	if u.robbed++; u.robbed < 2 || t.phase == start && u.robbed < 5 {
		return 0
	}
	u.robbed, u.begun = 0, time.Time{}
	switch {
	case t.phase == start:
		t.rate = min(t.most, u.bold())
	case t.hard || t.tried:
		if t.rate = max(t.floor, t.rate*cutTo); t.rate < t.base/2 { // to come back fast
			t.phase = yield
		}
	}
	return u.pause()
}

// interrupted reports whether a 429 in the first half of a turn may be another's
// knock: every second is about the rate. Three before a turn has gone well mean
// that the peer is soft.
func (t *tempo) interrupted() bool {
	u := &t.turns
	u.broken++
	if !t.hard && u.broken > 2 {
		t.soft = true
		return false
	}
	return u.broken%2 == 1
}

// surprised hears of a 429 while nobody else is believed to be there.
func (t *tempo) surprised(s slot, after time.Duration, now time.Time) time.Duration {
	u := &t.turns
	was, n, known := t.phase, s.n-1, t.hard || u.met
	if n == 0 {
		u.robbed++
	}
	switch {
	case known && was == cruise && after == 0 && n > bucket && u.doubt(now, t.gap()):
		t.pass(after)
		return u.long(t.gap())
	case n == 0 && (known && u.robbed > 1 || u.robbed > 3): // nothing gets through at any rate
		u.robbed = 0
		u.meet()
		t.pass(after)
		return u.pause()
	}
	t.learn(s, after)
	return t.free(was, after)
}

// free is for how long the peer is left free after a phase that a 429 has ended,
// long enough for the call after it to get through for certain if we are alone.
func (t *tempo) free(was phase, after time.Duration) time.Duration {
	long := max(listen, t.gap()*3/2)
	switch {
	case t.soft:
		return 0
	case was == search:
		return long
	case after >= long:
		return after
	}
	return 0
}

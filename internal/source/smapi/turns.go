package smapi

import "time"

const (
	listen  = 150 * time.Millisecond // that a peer is left free after a search, for others to get through
	knock   = 100 * time.Millisecond // between calls that ask for a turn
	turn    = 2 * time.Second        // how long one lasts at least
	waits   = 8                      // and so many times what the last 429 made us wait, up to longest
	gaps    = 12                     // and so many calls
	believe = 4                      // turns for which others are believed in
	patient = 10 * time.Second       // after so long, knocks get rarer: each waits a tenth
	longest = 30 * time.Second       // between two knocks, as slowest
	quarrel = 8 * time.Second        // between two doubts; each that was wrong doubles it
	few     = 3                      // calls, that get through although it is another's turn
)

// Turns let paces that don't know of each other share a hard peer: the first would
// take each call that comes free before another can ask. A pace that is alone
// leaves the peer free for a moment after each search. The call after a silence
// asks: alone it always gets through, so if it is throttled somebody else is there.
// From then on they take turns. Who waits for one knocks; who had one is silent
// for as long. Nobody seen in some turns means alone.
type turns struct {
	others  int           // turns for which others are still believed in; 0 = alone
	met     bool          // others were there before
	asks    bool          // the next call comes after a silence
	refused int           // calls in a row that asked and were throttled
	since   time.Time     // the first of them
	idle    time.Duration // the silence after the last of them
	begun   time.Time     // our turn; zero = none
	robbed  int           // flights in a row in which next to nothing got through
	broken  int           // flights that ended in the first half of a turn
	doubts  int           // that were wrong, running
	settled time.Time     // no doubt before
	price   time.Duration // what the last 429 made us wait
}

func (u *turns) shared() bool { return u.others > 0 }

// long is how long a turn lasts at most, where gap is between calls.
func (u *turns) long(gap time.Duration) time.Duration {
	return max(turn, min(waits*u.price, longest), gaps*gap)
}

// pause is between two calls that ask.
func (u *turns) pause() time.Duration { return max(knock, u.price) }

// bold is the rate at which one who knows nothing tries its first turn: the other
// is back in a moment, and must find its call throttled or does not know of us. Where
// a 429 costs a wait, there is no second try.
func (u *turns) bold() float64 {
	if u.price > knock {
		return 10
	}
	return 60
}

// meet hears that somebody else is there.
func (u *turns) meet() { u.others, u.met, u.begun, u.doubts = believe, true, time.Time{}, 0 }

// leave hears that turns are of no use.
func (u *turns) leave() { u.others, u.met = 0, false }

// doubt hears of a 429 where there should be none, and reports whether that is
// worth a silence, to see if somebody is there.
func (u *turns) doubt(now time.Time, gap time.Duration) bool {
	if now.Before(u.settled) {
		return false
	}
	u.settled = now.Add(u.long(gap) + quarrel<<min(u.doubts, 5))
	u.doubts++
	u.others = 1
	return true
}

// wait hears that a call which asked was throttled at now. It returns for how long
// to be silent before the next asks, if all was ours until now or not.
func (u *turns) wait(now time.Time, ours bool, gap time.Duration) time.Duration {
	news := !u.shared()
	u.meet()
	switch waited := now.Sub(u.since); {
	case news && ours: // that was more than a turn
		u.idle = u.long(gap)
	case waited > patient:
		u.idle = max(u.price, min(waited/10, longest))
	default:
		u.idle = u.pause()
	}
	return u.idle
}

// through hears that the call in s got through, and returns for how long to be
// silent then, if the turn is over. The peer is hard for certain, or may be.
func (u *turns) through(s slot, now time.Time, gap time.Duration, hard bool) time.Duration {
	if s.asks {
		u.refused, u.begun = 0, s.at
	}
	if s.n > few {
		u.robbed = 0
	}
	if s.n > bucket && hard {
		u.broken = 0
	}
	if !u.shared() || u.begun.IsZero() || now.Sub(u.begun) < u.long(gap) {
		return 0
	}
	return u.end(now)
}

// end ends our turn. It returns for how long the other may have one.
func (u *turns) end(now time.Time) time.Duration {
	had := now.Sub(u.begun)
	u.others, u.begun = u.others-1, time.Time{}
	return max(u.pause(), had)
}

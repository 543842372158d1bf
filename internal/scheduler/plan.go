package scheduler

import (
	"math/rand/v2"
	"time"
)

const (
	// maxSetBack is how far the clock may be set back before slots that are
	// done may run again: an error of a time zone is less than a day.
	maxSetBack = 24 * time.Hour

	// maxMissed bounds the walk over missed slots: a clock set right, from 1970
	// say, has passed millions. Beyond it one run takes place at once.
	maxMissed = 10_000

	// minCatchUp is how late a slot may always be made up for at the start.
	minCatchUp = 2 * time.Minute

	// maxHealDelay is the longest that a heal run waits.
	maxHealDelay = 15 * time.Minute
)

// A plan is what a loop knows between two looks at the clock. It never looks
// itself, so that each rule depends on nothing but the times it is told. Slots
// are compared by the wall clock; heal carries the monotonic one, which nobody
// sets.
type plan struct {
	schedule Schedule
	offset   time.Duration

	last   time.Time // the latest slot that is done or given up
	next   time.Time // the slot after last; zero = none
	missed int       // slots given up since the last run
	owed   int       // slots of an earlier schedule that had come when it ended

	heal     time.Time // when the heal run is due; zero = none
	failures int       // runs in a row that asked for a heal run
}

// newPlan goes on after the slot last; zero = no slot is known to be done.
func newPlan(l Loop, now time.Time) *plan {
	p := &plan{schedule: l.Schedule, offset: l.Offset}
	if l.Last.IsZero() {
		p.restart(now)
	} else {
		p.advance(l.Last)
	}
	return p
}

func (p *plan) advance(slot time.Time) { p.last, p.next = slot.Round(0), p.schedule.Next(slot) }

// restart forgets what was done: the next slot is the first whose time, with
// the offset, is still to come.
func (p *plan) restart(now time.Time) { p.advance(now.Add(-p.offset)) }

// follow makes the plan go by l from now on. No slot that had come is lost, and
// none that is done comes again.
func (p *plan) follow(l Loop, now time.Time) {
	if p.schedule.equal(l.Schedule) {
		p.offset = l.Offset
		return
	}
	p.owed += p.pass(now)
	p.schedule, p.offset = l.Schedule, l.Offset
	if since := now.Add(-p.offset); since.After(p.last) {
		p.advance(since)
	} else {
		p.advance(p.last)
	}
}

// pass moves the plan over the slots whose time has come, and returns their
// number.
func (p *plan) pass(now time.Time) int {
	if p.last.Sub(now) > maxSetBack {
		p.restart(now)
	}
	n := 0
	for ; !p.next.IsZero() && !now.Before(p.next.Add(p.offset)); n++ {
		if n == maxMissed {
			p.restart(now)
			break
		}
		p.advance(p.next)
	}
	return n
}

// first returns the run that the start of the loop calls for, if any: the one
// of OnStart, or the one of a slot missed not long ago.
func (p *plan) first(now time.Time, onStart bool) (Slot, bool) {
	due := p.pass(now)
	p.missed = due
	switch {
	case onStart:
		return p.run(Start), true
	case due > 0 && now.Sub(p.last.Add(p.offset)) < max(minCatchUp, p.next.Sub(p.last)/2):
		p.missed--
		return p.run(Scheduled), true
	}
	return Slot{}, false
}

// due returns the run that is due now, if any. Several slots are one run.
func (p *plan) due(now time.Time) (Slot, bool) {
	n := p.owed + p.pass(now)
	if p.owed = 0; n > 0 {
		p.missed += n - 1
		return p.run(Scheduled), true
	}
	if !p.heal.IsZero() && !now.Before(p.heal) {
		return p.run(Heal), true
	}
	return Slot{}, false
}

func (p *plan) run(t Trigger) Slot {
	s := Slot{Time: p.last, Trigger: t, Missed: p.missed}
	p.missed, p.heal = 0, time.Time{}
	return s
}

// done takes note that a run has ended. Slots that came meanwhile are missed.
func (p *plan) done(now time.Time, again bool) {
	p.missed += p.pass(now)
	if !again {
		p.failures = 0
		return
	}
	p.heal = now.Add(healDelay(p.failures))
	p.failures++
}

// healDelay is 1, 2, 4, 8, 15, 15 ... minutes, less up to a quarter.
func healDelay(failures int) time.Duration {
	d := min(time.Minute<<min(failures, 4), maxHealDelay)
	return d - rand.N(d/4)
}

// at returns when the next run is due, or the zero Time.
func (p *plan) at() time.Time {
	if p.next.IsZero() {
		return p.heal
	}
	at := p.next.Add(p.offset)
	if !p.heal.IsZero() && p.heal.Before(at) {
		return p.heal
	}
	return at
}

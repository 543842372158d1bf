// Package scheduler decides when a job runs: [Parse] reads a schedule,
// [Schedule.Next] tells its slots, and a [Lane] calls a job at each of them.
//
// # Daylight saving
//
// Slots follow the wall clock of the schedule's time zone. Where that clock is
// set forward or back, the rule is the one of cron(8) by Vixie and ISC, which
// treats jobs of a fixed time and of more than an hour apart alike:
//
//   - A schedule that leaves out some hours of the day ("30 2 * * *",
//     "0 */6 * * *", @daily) has each of its slots once. A slot in the skipped
//     hour comes right after it; a slot in the repeated hour comes the first
//     time. Slots that fall together are one.
//   - A schedule of every hour ("*/15 * * * *", @hourly) goes by what the clock
//     shows: it runs on through the repeated hour, and has nothing to make up
//     for the skipped one.
//   - A calendar day that a country leaves out (Samoa had no 30 December 2011)
//     has no slots.
//
// @every knows no time zone: it counts from a fixed moment, so that a restart
// does not move it.
package scheduler

import "time"

// A Schedule is a rule that makes slots. It is a value, safe for concurrent
// use; [Parse] makes one. The zero Schedule has no slot.
type Schedule struct {
	every  time.Duration // of @every; zero = fields decides
	fields fields
	loc    *time.Location
}

// equal reports whether s and t have the same slots, as far as their rules tell.
func (s Schedule) equal(t Schedule) bool {
	return s.every == t.every && s.fields == t.fields && (s.loc == t.loc || s.loc != nil && t.loc != nil && s.loc.String() == t.loc.String())
}

// Next returns the first slot after the given time, in the schedule's time
// zone, or the zero Time where no slot follows. The search is bounded: it takes a
// few microseconds, and well below a millisecond for the rarest of schedules.
func (s Schedule) Next(after time.Time) time.Time {
	switch {
	case s.every > 0:
		return after.Truncate(s.every).Add(s.every).In(s.loc)
	case s.fields == fields{}:
		return time.Time{}
	}
	return s.nextByClock(after)
}

// maxSpans bounds the search: a zone has at most four spans a year, and slots
// are at most maxYears apart.
const maxSpans = 5 * maxYears

func (s Schedule) nextByClock(after time.Time) time.Time {
	current := spanAt(after, s.loc)
	shown := current.clock(after)
	if !s.fields.everyHour() {
		shown = current.latestShown(after)
	}
	slot := s.fields.next(shown)
	for range maxSpans {
		if slot.IsZero() {
			break
		}
		if at := current.instant(slot); current.end.IsZero() || at.Before(current.end) {
			return at.In(s.loc)
		}
		following := spanAt(current.end, s.loc)
		if s.fields.everyHour() || following.offset-current.offset >= 24*time.Hour {
			slot = s.fields.next(following.clock(following.start).Add(-1))
		}
		current = following
	}
	return time.Time{}
}

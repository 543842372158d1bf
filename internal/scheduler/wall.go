package scheduler

import "time"

// What a wall clock shows is kept as a [time.Time] in UTC with the same date
// and hour: there, no day has a gap, and arithmetic is plain.

// A span is a stretch of time in which a zone keeps its offset from UTC. Two
// spans with the same offset may follow each other.
type span struct {
	start, end time.Time // end is outside; zero = it goes on for ever
	offset     time.Duration
	loc        *time.Location
}

func spanAt(t time.Time, loc *time.Location) span {
	t = t.In(loc)
	start, end := t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		// Go 1.26, time.tzset: where the zone goes by a rule (after 2037) each
		// year has 365 days, so that the bounds miss 31 December of a leap year.
		end = t.Truncate(24 * time.Hour).Add(24 * time.Hour)
	}
	_, seconds := t.Zone()
	return span{start: start, end: end, offset: time.Duration(seconds) * time.Second, loc: loc}
}

// clock returns what the wall clock shows at t.
func (s span) clock(t time.Time) time.Time { return t.UTC().Add(s.offset) }

// latestShown returns the latest that the wall clock has shown up to t: while
// it repeats an hour, that is the end of the hour.
func (s span) latestShown(t time.Time) time.Time {
	now := s.clock(t)
	if s.start.IsZero() {
		return now
	}
	if before := spanAt(s.start.Add(-1), s.loc).clock(s.start).Add(-1); before.After(now) {
		return before
	}
	return now
}

// instant returns when the wall clock first shows the given time or a later
// one, if that is in s or before it.
func (s span) instant(clock time.Time) time.Time {
	if at := clock.Add(-s.offset); at.After(s.start) {
		return at
	}
	return s.start
}

// fields are the five fields of a cron schedule as sets of bits, the way
// robfig/cron lays them out. The zero value matches nothing.
type fields struct{ minute, hour, dom, month, dow uint64 }

const (
	star     = 1 << 63   // robfig/cron marks a field "*" by this bit
	allHours = 1<<24 - 1 // bits 0 to 23

	// maxYears is further than any two slots are apart: 29 February of 2096
	// and 2104.
	maxYears = 9
)

func (f fields) everyHour() bool { return f.hour&allHours == allHours }

// next returns the first match after a wall clock time, or the zero Time.
func (f fields) next(after time.Time) time.Time {
	from := after.Truncate(time.Minute).Add(time.Minute)
	day := from.Truncate(24 * time.Hour)
	for limit := day.AddDate(maxYears, 0, 0); day.Before(limit); {
		if f.month&(1<<day.Month()) == 0 {
			day = day.AddDate(0, 1, 1-day.Day())
			continue
		}
		if f.matchesDay(day) {
			if slot := f.nextInDay(day, from); !slot.IsZero() {
				return slot
			}
		}
		day = day.AddDate(0, 0, 1)
	}
	return time.Time{}
}

// matchesDay follows cron(8): where both day fields are restricted, one of
// them is enough.
func (f fields) matchesDay(day time.Time) bool {
	dom := f.dom&(1<<day.Day()) != 0
	dow := f.dow&(1<<day.Weekday()) != 0
	if f.dom&star != 0 || f.dow&star != 0 {
		return dom && dow
	}
	return dom || dow
}

func (f fields) nextInDay(day, from time.Time) time.Time {
	first := max(0, int(from.Sub(day)/time.Minute))
	for m := first; m < 24*60; m++ {
		if f.hour&(1<<(m/60)) != 0 && f.minute&(1<<(m%60)) != 0 {
			return day.Add(time.Duration(m) * time.Minute)
		}
	}
	return time.Time{}
}

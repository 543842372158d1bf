package scheduler_test

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // zones, wherever the test runs

	"github.com/credsync/credsync/internal/scheduler"
)

var zones = []string{
	"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Beirut", "America/Havana",
	"America/Santiago", "Atlantic/Azores", "America/Asuncion", "Africa/Casablanca", "Antarctica/Troll", "UTC",
}

// A clock is what a wall clock shows, and its day.
type clock struct{ month, day, weekday, hour, minute int }

var rules = []struct {
	spec      string
	daily     bool
	everyHour bool
	match     func(clock) bool
}{
	{spec: "@daily", daily: true, match: func(c clock) bool { return c.hour == 0 && c.minute == 0 }},
	{spec: "30 0 * * *", daily: true, match: func(c clock) bool { return c.hour == 0 && c.minute == 30 }},
	{spec: "10 1 * * *", daily: true, match: func(c clock) bool { return c.hour == 1 && c.minute == 10 }},
	{spec: "15 2 * * *", daily: true, match: func(c clock) bool { return c.hour == 2 && c.minute == 15 }},
	{spec: "0 3 * * *", daily: true, match: func(c clock) bool { return c.hour == 3 && c.minute == 0 }},
	{spec: "59 23 * * *", daily: true, match: func(c clock) bool { return c.hour == 23 && c.minute == 59 }},
	{spec: "0 */6 * * *", match: func(c clock) bool { return c.hour%6 == 0 && c.minute == 0 }},
	{spec: "*/20 0-2 * * 7", match: func(c clock) bool { return c.weekday == 0 && c.hour <= 2 && c.minute%20 == 0 }},
	{spec: "0 0 1 apr,nov mon", match: func(c clock) bool {
		return (c.month == 4 || c.month == 11) && (c.day == 1 || c.weekday == 1) && c.hour == 0 && c.minute == 0
	}},
	{spec: "@hourly", everyHour: true, match: func(c clock) bool { return c.minute == 0 }},
	{spec: "*/15 * * * *", everyHour: true, match: func(c clock) bool { return c.minute%15 == 0 }},
}

var from, until = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// oracle lives through each minute and asks what the clock shows: nothing of
// it is like the code under test. It returns the slots of each rule, as seconds.
func oracle(loc *time.Location) [][]int64 {
	slots := make([][]int64, len(rules))
	minuteOn := func(t time.Time) int64 {
		_, offset := t.In(loc).Zone()
		return (t.Unix() + int64(offset)) / 60
	}
	previous := minuteOn(from)
	highest := previous
	for t := from.Add(time.Minute); t.Before(until); t = t.Add(time.Minute) {
		now := minuteOn(t)
		for shown := min(now, previous+1); shown <= now; shown++ {
			at := time.Unix(shown*60, 0).UTC()
			c := clock{int(at.Month()), at.Day(), int(at.Weekday()), at.Hour(), at.Minute()}
			for i, r := range rules {
				counts := shown > highest
				if r.everyHour {
					counts = shown == now
				}
				if counts && r.match(c) && !slices.Contains(slots[i][max(0, len(slots[i])-1):], t.Unix()) {
					slots[i] = append(slots[i], t.Unix())
				}
			}
		}
		previous, highest = now, max(highest, now)
	}
	return slots
}

func TestSlotsAreThoseOfABruteForceOracle(t *testing.T) {
	for _, name := range zones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loc := zone(t, name)
			for i, want := range oracle(loc) {
				s := parse(t, rules[i].spec, loc)
				at := from
				for n, w := range want {
					if at = s.Next(at); at.Unix() != w {
						t.Fatalf("%s, slot %d: got %s, want %s", rules[i].spec, n, at, time.Unix(w, 0).In(loc))
					}
				}
				if at = s.Next(at); at.Before(until) {
					t.Fatalf("%s: one slot too many: %s", rules[i].spec, at)
				}
			}
		})
	}
}

func TestADailyJobRunsOnceOnEachDay(t *testing.T) {
	for _, name := range zones {
		loc := zone(t, name)
		for _, r := range rules {
			if !r.daily {
				continue
			}
			s := parse(t, r.spec, loc)
			day := time.Date(2024, 1, 1, 12, 0, 0, 0, loc)
			at := s.Next(day.AddDate(0, 0, -1).Add(12*time.Hour - time.Second))
			for ; day.Before(until); at, day = s.Next(at), day.AddDate(0, 0, 1) {
				if got, want := at.Format(time.DateOnly), day.Format(time.DateOnly); got != want {
					t.Fatalf("%s in %s: got a run on %s, want one on %s", r.spec, name, got, want)
				}
			}
		}
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func parse(t testing.TB, spec string, loc *time.Location) scheduler.Schedule {
	t.Helper()
	s, err := scheduler.Parse(spec, loc)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

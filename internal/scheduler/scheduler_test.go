package scheduler_test

import (
	"testing"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/credsync/credsync/internal/scheduler"
)

func TestNextWhereTheClockIsSet(t *testing.T) {
	for _, tc := range []struct{ spec, zone, after, want string }{
		{"30 2 * * *", "Europe/Berlin", "2027-03-27T02:30:00+01:00", "2027-03-28T03:00:00+02:00"}, // skipped: right after
		{"30 2 * * *", "Europe/Berlin", "2027-03-28T03:00:00+02:00", "2027-03-29T02:30:00+02:00"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00", "2026-10-25T02:30:00+02:00"}, // repeated: the first
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T02:10:00+01:00", "2026-10-26T02:30:00+01:00"}, // asked in the second
		{"0 */2 * * *", "Europe/Berlin", "2027-03-28T00:00:00+01:00", "2027-03-28T03:00:00+02:00"},
		{"*/15 2 * * *", "Europe/Berlin", "2027-03-28T00:00:00+01:00", "2027-03-28T03:00:00+02:00"}, // four fall together
		{"*/15 2 * * *", "Europe/Berlin", "2027-03-28T03:00:00+02:00", "2027-03-29T02:00:00+02:00"},
		{"*/15 * * * *", "Europe/Berlin", "2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00"}, // the hour is lived twice
		{"30 * * * *", "Europe/Berlin", "2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00"},
		{"@hourly", "Antarctica/Troll", "2026-10-25T02:00:00+02:00", "2026-10-25T01:00:00Z"},
		{"@daily", "Africa/Cairo", "2026-04-23T00:00:00+02:00", "2026-04-24T01:00:00+03:00"}, // no midnight
		{"@weekly", "America/Havana", "2026-03-02T00:00:00-05:00", "2026-03-08T01:00:00-04:00"},
		{"@monthly", "America/Havana", "2012-03-02T00:00:00-05:00", "2012-04-01T01:00:00-04:00"},
		{"0 9 * * *", "Pacific/Apia", "2011-12-29T09:00:00-10:00", "2011-12-31T09:00:00+14:00"}, // no 30 December
		{"@daily", "Pacific/Apia", "2011-12-29T09:00:00-10:00", "2011-12-31T00:00:00+14:00"},
		{"0 9 30 12 *", "Pacific/Apia", "2011-12-29T09:00:00-10:00", "2012-12-30T09:00:00+14:00"},
		{"@hourly", "Pacific/Apia", "2011-12-29T23:30:00-10:00", "2011-12-31T00:00:00+14:00"},
		{"0 0 29 2 *", "UTC", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"},
		{"0 * 29 2 *", "Europe/Berlin", "2096-03-01T00:00:00+01:00", "2104-02-29T00:00:00+01:00"},
		{"@daily", "Europe/Berlin", "2040-12-31T12:00:00+01:00", "2041-01-01T00:00:00+01:00"}, // time.ZoneBounds errs here
		{"0 0 * * 5-7", "UTC", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
		{"@every 90m", "Europe/Berlin", "2026-11-22T00:10:00+01:00", "2026-11-22T01:00:00+01:00"},
		{"@every 90m", "Europe/Berlin", "2026-11-22T01:00:00+01:00", "2026-11-22T02:30:00+01:00"},
	} {
		after, err := time.Parse(time.RFC3339, tc.after)
		if err != nil {
			t.Fatal(err)
		}
		got := parse(t, tc.spec, zone(t, tc.zone)).Next(after).Format(time.RFC3339)
		if got != tc.want {
			t.Errorf("%s in %s after %s: got %s, want %s", tc.spec, tc.zone, tc.after, got, tc.want)
		}
	}
}

func TestTheZeroScheduleHasNoSlot(t *testing.T) {
	if got := (scheduler.Schedule{}).Next(time.Now()); !got.IsZero() {
		t.Errorf("got %s", got)
	}
}

// In UTC robfig/cron has no traps, and the two must agree.
func TestSlotsInUTCAreThoseOfRobfig(t *testing.T) {
	for _, spec := range []string{
		"* * * * *", "*/7 * * * *", "5/10 3-20/4 * * *", "0 0 29 2 *", "0 12 13 * 5", "30 6 */2 * 1", "0 0 31 * ?", "1,59 23 28-31 2,12 sat",
		"0 0 1 1 *", "15 10 ? jan-mar mon-fri", "@hourly", "@midnight", "@weekly", "@monthly", "@annually",
	} {
		reference, err := cron.ParseStandard("TZ=UTC " + spec)
		if err != nil {
			t.Fatal(err)
		}
		s := parse(t, spec, time.UTC)
		got := time.Date(2023, 12, 31, 23, 59, 59, 999, time.UTC)
		want := got
		for range 3000 {
			got, want = s.Next(got), reference.Next(want)
			if !got.Equal(want) {
				t.Fatalf("%s: got %s, want %s", spec, got, want)
			}
			if want.Year() > 2090 {
				break // robfig looks five years ahead; leap days can be eight apart
			}
		}
	}
}

func BenchmarkNext(b *testing.B) {
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	for _, spec := range []string{"0 */6 * * *", "*/15 * * * *", "@monthly", "59 23 29 2 *", "59 * 29 2 *"} {
		b.Run(spec, func(b *testing.B) {
			s := parse(b, spec, loc)
			for at := time.Date(2026, 1, 1, 0, 0, 0, 0, loc); b.Loop(); {
				if at = s.Next(at); at.Year() > 2090 {
					at = time.Date(2026, 1, 1, 0, 0, 0, 0, loc)
				}
			}
		})
	}
}

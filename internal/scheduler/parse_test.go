package scheduler

import (
	"strings"
	"testing"
	"time"
)

func TestParseRefusesAndSaysTheWayOut(t *testing.T) {
	for _, tc := range []struct{ spec, problem, wayOut string }{
		{"", "is empty", "@every 6h"},
		{"  \t", "is empty", "@every 6h"},
		{"TZ=", "time zone", "time_zone"},
		{" TZ=Europe/Rome", "time zone", "time_zone"},
		{"TZ= * * * * *", "time zone", "time_zone"},
		{"CRON_TZ=UTC 0 0 * * *", "time zone", "time_zone"},
		{"0 0 30 2 *", "never fires", "a day that its month has"},
		{"0 0 31 4,6,9,11 *", "never fires", "a day that its month has"},
		{", * * * *", "never fires", "a day"},
		{"@every 0s", "more often than once a minute", "@every 1m"},
		{"@every -1s", "more often than once a minute", "@every 1m"},
		{"@every 59.9s", "more often than once a minute", "@every 1m"},
		{"@every", "no duration", "@every 90m"},
		{"@every 1d", "no duration", "@every 24h"},
		{"@everyday", "no duration", "@every 24h"},
		{"@reboot", "not a time", "on_start: true"},
		{"@fortnightly", "unknown", "@weekly"},
		{"@Daily", "unknown", "@daily"},
		{"* * * *", "4 fields", "write five"},
		{"0 0 0 * * *", "6 fields", "write five"},
		{"60 * * * *", `"60" is not valid`, "minute takes 0-59"},
		{"0 24 * * *", `"24" is not valid`, "hour takes 0-23"},
		{"0 0 0 * *", `"0" is not valid`, "day of month takes 1-31"},
		{"0 0 * 13 *", `"13" is not valid`, "month takes 1-12"},
		{"0 0 * * 8", `"8" is not valid`, "day of week takes 0-7"},
		{"0 0 * * 7-7", `"7-7" is not valid`, "day of week takes 0-7"},
		{"*/0 * * * *", `"*/0" is not valid`, "minute takes"},
		{"0 0 * * fryday", `"fryday" is not valid`, "sun-sat"},
	} {
		s, err := Parse(tc.spec, time.UTC)
		if err == nil {
			t.Errorf("%q: got a schedule", tc.spec)
			continue
		}
		problem, wayOut, _ := strings.Cut(err.Error(), "; ")
		if !strings.Contains(problem, tc.problem) || !strings.Contains(wayOut, tc.wayOut) {
			t.Errorf("%q: got %q, want %q and %q", tc.spec, err, tc.problem, tc.wayOut)
		}
		if s != (Schedule{}) {
			t.Errorf("%q: got a schedule with the error", tc.spec)
		}
	}
}

func TestParseTakesSevenAsSunday(t *testing.T) {
	for spec, want := range map[string]string{
		"0 0 * * 7":     "0 0 * * 0",
		"0 0 * * 1,7":   "0 0 * * 1,0",
		"0 0 * * 5-7":   "0 0 * * 5,6,0",
		"0 0 * * fri-7": "0 0 * * 5,6,0",
		"0 0 7 7 */7":   "0 0 7 7 0",
	} {
		got, err := Parse(spec, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if same, _ := Parse(want, time.UTC); got != same {
			t.Errorf("%s: got %+v, want %+v", spec, got, same)
		}
	}
}

func TestParseSurvivesAPanicOfTheParser(t *testing.T) {
	if _, ok := parseCron("CRON_TZ=UTC"); ok {
		t.Error("got a schedule")
	}
}

func TestParseWithoutAZoneTakesTheLocalOne(t *testing.T) {
	got, err := Parse("@daily", nil)
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := Parse("@daily", time.Local); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Whatever is accepted has slots, each after the one before, on whole minutes,
// and finds them quickly.
func FuzzNext(f *testing.F) {
	for _, spec := range []string{"0 */6 * * *", "30 2 * * *", "0 0 29 2 *", "@every 90m", "1-5,7/3 ? jan * 5-7", "TZ=UTC * * * * *", "*/9223372036854775807 * * * *"} {
		f.Add(spec, uint8(0), int64(1325200000))
		f.Add(spec, uint8(3), int64(1774742400))
	}
	names := []string{"Pacific/Apia", "Africa/Cairo", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "UTC", "Pacific/Kwajalein", "Antarctica/Casey"}
	f.Fuzz(func(t *testing.T, spec string, zone uint8, unix int64) {
		loc, err := time.LoadLocation(names[int(zone)%len(names)])
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(spec, loc)
		if err != nil {
			return
		}
		start := time.Now()
		at := time.Unix(unix%(1<<33), unix&0xfffffff)
		for range 5 {
			next := s.Next(at)
			if !next.After(at) {
				t.Fatalf("%q after %s: got %s", spec, at, next)
			}
			at = next
		}
		if took := time.Since(start); took > time.Second {
			t.Fatalf("%q took %s", spec, took)
		}
	})
}

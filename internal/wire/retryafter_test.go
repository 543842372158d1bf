package wire

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryAfter(t *testing.T) {
	const date = http.TimeFormat
	synctest.Test(t, func(t *testing.T) { // it is 2000-01-01 00:00:00 UTC in here
		tests := map[string]struct {
			value, date string
			want        time.Duration
		}{
			"absent":             {"", "", 0},
			"zero":               {"0", "", 0},
			"seconds":            {"7", "", 7 * time.Second},
			"spaces":             {"  7 ", "", 7 * time.Second},
			"leading zeros":      {"0007", "", 7 * time.Second},
			"the longest":        {"900", "", maxRetryAfter},
			"huge":               {"1000000000", "", maxRetryAfter},
			"overflow":           {"99999999999999999999999999", "", maxRetryAfter},
			"negative":           {"-5", "", 0},
			"plus":               {"+5", "", 0},
			"fraction":           {"1.5", "", 0},
			"unit":               {"5s", "", 0},
			"garbage":            {"soon", "", 0},
			"other digits":       {"٣", "", 0},
			"IMF date":           {"Sat, 01 Jan 2000 00:01:30 GMT", "", 90 * time.Second},
			"RFC 850 date":       {"Saturday, 01-Jan-00 00:01:30 GMT", "", 90 * time.Second},
			"asctime date":       {"Sat Jan  1 00:01:30 2000", "", 90 * time.Second},
			"past date":          {"Fri, 31 Dec 1999 23:59:59 GMT", "", 0},
			"far date":           {"Sat, 01 Jan 2050 00:00:00 GMT", "", maxRetryAfter},
			"impossible date":    {"Sat, 31 Feb 2000 00:00:00 GMT", "", 0},
			"the peer's clock":   {"Sat, 01 Jan 2005 00:00:20 GMT", "Sat, 01 Jan 2005 00:00:00 GMT", 20 * time.Second},
			"garbage for a Date": {"Sat, 01 Jan 2000 00:01:30 GMT", "today", 90 * time.Second},
			"long":               {strings.Repeat("9", 100000), "", maxRetryAfter},
		}
		for name, tt := range tests {
			h := http.Header{}
			h.Set("Retry-After", tt.value)
			h.Set("Date", tt.date)
			if got := RetryAfter(h); got != tt.want {
				t.Errorf("%s: got %v, want %v", name, got, tt.want)
			}
		}
		if got := RetryAfter(http.Header{"Retry-After": {time.Now().Add(time.Minute).UTC().Format(date)}}); got != time.Minute {
			t.Errorf("got %v, want a minute", got)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "7", "-1", "99999999999999999999", "Sat, 01 Jan 2000 00:01:30 GMT", "Sat Jan  1 00:01:30 2000", "+7", "1e9"} {
		f.Add(s, "")
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		got := RetryAfter(http.Header{"Retry-After": {value}, "Date": {date}})
		if got < 0 || got > maxRetryAfter {
			t.Errorf("%q, %q: got %v", value, date, got)
		}
		seconds, err := strconv.ParseUint(value, 10, 16) // takes no sign
		if want := min(time.Duration(seconds)*time.Second, maxRetryAfter); err == nil && got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	})
}

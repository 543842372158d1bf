package scheduler_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/credsync/credsync/internal/scheduler"
)

func TestOffsetSpreadsHostsEvenly(t *testing.T) {
	const hosts, limit = 1000, 10 * time.Minute
	for _, job := range []string{"production", "staging"} {
		seconds := map[int]int{}
		var tenths [10]int
		for host := range hosts {
			o := scheduler.Offset(fmt.Sprintf("web-%d.example.com", host), job, limit)
			if o < 0 || o >= limit {
				t.Fatalf("got %s, want one in [0, %s)", o, limit)
			}
			seconds[int(o/time.Second)]++
			tenths[int(o*10/limit)]++
		}
		for second, n := range seconds {
			if n > hosts/100 {
				t.Errorf("%s: %d hosts start in second %d", job, n, second)
			}
		}
		chi := 0.0
		for _, n := range tenths {
			d := float64(n) - hosts/10
			chi += d * d / (hosts / 10)
		}
		if chi > 21.67 { // p = 0.01 for 9 degrees of freedom
			t.Errorf("%s: chi-square %.1f for %v", job, chi, tenths)
		}
	}
}

func TestOffsetIsSteady(t *testing.T) {
	offset := func(host, job string) time.Duration { return scheduler.Offset(host, job, time.Hour) }
	if got, want := offset("a", "b"), offset("a", "b"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if offset("a", "b") == offset("a", "c") || offset("ab", "c") == offset("a", "bc") {
		t.Error("different hosts and jobs share an offset")
	}
	for _, limit := range []time.Duration{0, -time.Second} {
		if got := scheduler.Offset("a", "b", limit); got != 0 {
			t.Errorf("limit %s: got %s", limit, got)
		}
	}
}

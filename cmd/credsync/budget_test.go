package main

import (
	"math"
	"runtime/debug"
	"testing"

	"github.com/credsync/credsync/internal/config"
)

func TestTheBudgetFollowsTheList(t *testing.T) {
	const none = math.MaxInt64
	for name, tt := range map[string]struct {
		memlimit, gogc string
		results        int
		limit          int64
		percent        int
	}{
		"short list":            {results: 1000, limit: 17<<20 + 1000*600, percent: 100},
		"long list":             {results: 100_000, limit: 17<<20 + 100_000*600, percent: 35},
		"long list, GOGC":       {gogc: "90", results: 100_000, limit: 17<<20 + 100_000*600, percent: 100},
		"long list, GOMEMLIMIT": {memlimit: "30MiB", results: 100_000, limit: none, percent: 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOMEMLIMIT", tt.memlimit)
			t.Setenv("GOGC", tt.gogc)
			defer debug.SetMemoryLimit(debug.SetMemoryLimit(none))
			defer debug.SetGCPercent(debug.SetGCPercent(100))
			s := &setup{cfg: &config.Config{Jobs: map[string]config.Job{"job": {}}}}
			s.budget().Start("job", tt.results)
			if got := debug.SetMemoryLimit(-1); got != tt.limit {
				t.Errorf("the limit is %d, want %d", got, tt.limit)
			}
			percent := debug.SetGCPercent(100)
			if percent != tt.percent {
				t.Errorf("the collector starts at %d %%, want %d", percent, tt.percent)
			}
		})
	}
}

package smapi

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/credsync/credsync/internal/emulator"
	"github.com/credsync/credsync/internal/scale"
)

// The second run knows what the first has learned, and needs no 429 to find the
// way up.
func TestTheNextRunStartsWhereTheLastOneWas(t *testing.T) {
	c := course{rate: 60, burst: 1, latency: 20 * time.Millisecond, seed: scale.Seed()}
	synctest.Test(t, func(t *testing.T) {
		a := c.amazon()
		ids := a.Skills()[:300]
		first := c.open(t, a, 1)
		c.drive(t.Context(), t, first, ids)
		learned := first.LearnedPace()
		if learned.RequestsPerSecond < 48 || learned.RequestsPerSecond > 66 {
			t.Fatalf("got %v, want about 60", learned)
		}
		time.Sleep(time.Hour)
		a.ResetRequests()
		second := c.open(t, a, 2)
		second.pace.resume(learned)
		start := time.Now()
		c.drive(t.Context(), t, second, ids)
		if took := time.Since(start); took > 6500*time.Millisecond {
			t.Errorf("300 skills at 60 a second took %v with what the first run learned", took)
		}
		if n := a.Requests().Count(emulator.OpCredentials, 429); n > 5 {
			t.Errorf("%d were throttled", n)
		}
	})
}

func TestAStaleLearnedPaceDoesNoHarm(t *testing.T) {
	now := time.Now()
	tests := map[string]struct {
		learned LearnedPace
		want    float64
	}{
		"none":           {LearnedPace{}, 5},
		"fresh":          {LearnedPace{40, now.Add(-time.Hour)}, 36},
		"beyond most":    {LearnedPace{400, now.Add(-time.Hour)}, 50},
		"of last month":  {LearnedPace{40, now.Add(-30 * 24 * time.Hour)}, 5},
		"of tomorrow":    {LearnedPace{40, now.Add(24 * time.Hour)}, 5},
		"of a bad hour":  {LearnedPace{0.04, now}, 5},
		"negative":       {LearnedPace{-3, now}, 5},
		"without bounds": {LearnedPace{1e300, now}, 5},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPace(5, 50)
			p.resume(tt.learned)
			if got := p.Rate(); got != tt.want {
				t.Errorf("starts at %v, want %v", got, tt.want)
			}
			if got := p.learned(); got != (LearnedPace{}) {
				t.Errorf("got %v before there was anything to learn", got)
			}
		})
	}
}

// The account's limit fell to a tenth between two runs.
func TestALearnedPaceThatIsFarTooHigh(t *testing.T) {
	c := course{rate: 5, burst: 1, latency: 20 * time.Millisecond, seed: scale.Seed()}
	synctest.Test(t, func(t *testing.T) {
		a := c.amazon()
		s := c.open(t, a, 1)
		s.pace.resume(LearnedPace{50, time.Now()})
		start := time.Now()
		c.drive(t.Context(), t, s, a.Skills())
		if took := time.Since(start).Seconds() / 60; took > 1.2 {
			t.Errorf("took %.2f times as long as it had to", took)
		}
	})
}

package status

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/syncer"
)

func TestThePaceIsSampledWhileRequestsGoOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := NewBoard(Build{}), &account{pace: 5}
		c := settings("vault")
		c.Sources = map[string]LiveSource{"acme": s}
		b.Configure(c)
		begin := time.Now()
		ask := func(n int) {
			for range n {
				b.Observe("smapi", "credentials", 200, time.Millisecond)
				time.Sleep(time.Second)
			}
		}
		ask(15)
		s.pace, s.throttled = 2.5, 3
		ask(6)
		time.Sleep(time.Hour) // nobody asks for anything
		b.Begin("production", syncer.Options{}).End(syncer.Summary{})

		opened := &account{pace: 2.5, throttled: 1} // a reload opens it anew, and it counts from there
		c.Sources["acme"] = opened
		b.Configure(c)
		opened.throttled = 2
		ask(1)

		at := func(d time.Duration) time.Time { return begin.Add(d).UTC() }
		want := []Sample{
			{at(0), 5, 0},
			{at(10 * time.Second), 5, 0},
			{at(20 * time.Second), 2.5, 3},
			{at(time.Hour + 21*time.Second), 2.5, 0},
			{at(time.Hour + 21*time.Second), 2.5, 1},
		}
		if diff := cmp.Diff(want, b.Report(Filter{}).Sources[0].Paces); diff != "" {
			t.Error(diff)
		}
		time.Sleep(time.Minute)
		for range 3 * keptSamples {
			ask(10)
		}
		if got := len(b.Report(Filter{}).Sources[0].Paces); got != keptSamples {
			t.Errorf("%d samples are kept, want %d", got, keptSamples)
		}
		b.Configure(Settings{Jobs: c.Jobs})
		b.Configure(c)
		if got := b.Report(Filter{}).Sources[0].Paces; len(got) != 0 {
			t.Errorf("got %v of a source that had gone", got)
		}
	})
}

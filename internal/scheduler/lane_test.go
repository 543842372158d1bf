package scheduler_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/credsync/credsync/internal/scheduler"
)

// A script is a lane in a bubble, and its runs: whose job, when, why, and how
// many slots were missed. When a heal run comes is random, as it should be.
type script struct {
	*testing.T
	lane *scheduler.Lane
	got  []string
}

// job returns a job of the given name that takes so long and fails so often.
func (s *script) job(name string, takes time.Duration, failures int) scheduler.Job {
	return func(ctx context.Context, slot scheduler.Slot) bool {
		clock := time.Now().UTC().Format("15:04:05")
		if slot.Trigger == scheduler.Heal {
			clock = "soon"
		}
		s.got = append(s.got, fmt.Sprint(name, " ", clock, " ", slot.Trigger, " ", slot.Missed))
		pause(ctx, takes)
		failures--
		return failures >= 0
	}
}

func (s *script) loop(spec string, offset time.Duration) scheduler.Loop {
	return scheduler.Loop{Schedule: parse(s.T, spec, time.UTC), Offset: offset, OnStart: true} // a start that is none must not count
}

func TestLane(t *testing.T) {
	for _, tc := range []struct {
		what  string
		steps func(s *script) // two hours and a half, from midnight on; job a runs at the start
		takes time.Duration   // job a
		fails int
		want  []string
	}{
		{
			what:  "the same schedule goes on",
			steps: func(s *script) { s.after("90m"); s.lane.Replace(s.loop("@hourly", 0), s.job("b", 0, 0)) },
			want:  []string{"a 00:00:00 start 0", "a 01:00:00 schedule 0", "b 02:00:00 schedule 0"},
		},
		{
			what:  "a running job ends first, and slots it took are missed",
			steps: func(s *script) { s.after("10m"); s.lane.Replace(s.loop("@hourly", 0), s.job("b", 0, 0)) }, takes: 90 * time.Minute,
			want: []string{"a 00:00:00 start 0", "b 02:00:00 schedule 1"},
		},
		{
			what: "the last of several counts",
			steps: func(s *script) {
				for _, name := range []string{"b", "c", "d"} {
					s.after("10m")
					s.lane.Replace(s.loop("*/30 * * * *", 0), s.job(name, 0, 0))
				}
			}, takes: 70 * time.Minute,
			want: []string{"a 00:00:00 start 0", "d 01:30:00 schedule 1", "d 02:00:00 schedule 0", "d 02:30:00 schedule 0"},
		},
		{
			what:  "another schedule counts from now on",
			steps: func(s *script) { s.after("50m"); s.lane.Replace(s.loop("*/20 * * * *", 0), s.job("b", 0, 0)) },
			want: []string{
				"a 00:00:00 start 0", "b 01:00:00 schedule 0", "b 01:20:00 schedule 0",
				"b 01:40:00 schedule 0", "b 02:00:00 schedule 0", "b 02:20:00 schedule 0",
			},
		},
		{
			what:  "a slot that is done does not come again under a larger offset",
			steps: func(s *script) { s.after("65m"); s.lane.Replace(s.loop("@hourly", 10*time.Minute), s.job("b", 0, 0)) },
			want:  []string{"a 00:00:00 start 0", "a 01:00:00 schedule 0", "b 02:10:00 schedule 0"},
		},
		{
			what: "a heal run is not forgotten",
			steps: func(s *script) {
				s.after("10s")
				s.lane.Replace(s.loop("@daily", 0), s.job("b", 0, 1))
				s.after("70s")
				s.lane.Replace(s.loop("@daily", 0), s.job("c", 0, 0))
			}, fails: 1,
			want: []string{"a 00:00:00 start 0", "b soon heal 0", "c soon heal 0"},
		},
		{
			what:  "an end waits for the job",
			steps: func(s *script) { s.after("10m"); s.lane.End() }, takes: 70 * time.Minute,
			want: []string{"a 00:00:00 start 0"},
		},
		{
			what: "an end takes back a replacement",
			steps: func(s *script) {
				s.after("10m")
				s.lane.Replace(s.loop("* * * * *", 0), s.job("b", 0, 0))
				s.lane.End()
			}, takes: 70 * time.Minute,
			want: []string{"a 00:00:00 start 0"},
		},
	} {
		t.Run(tc.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{T: t}
				s.lane = scheduler.NewLane(s.loop("@hourly", 0), s.job("a", tc.takes, tc.fails))
				ctx, cancel := context.WithTimeout(t.Context(), 150*time.Minute+time.Second)
				defer cancel()
				go tc.steps(s)
				s.lane.Run(ctx)
				if diff := cmp.Diff(tc.want, s.got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}

func (s *script) after(d string) {
	took, err := time.ParseDuration(d)
	if err != nil {
		s.Fatal(err)
	}
	time.Sleep(took)
}

func TestNoSlotIsLostByReplacements(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		changes := rapid.SliceOfN(rapid.IntRange(1, 300), 1, 40).Draw(rt, "seconds to the next replacement")
		takes := rapid.SliceOfN(rapid.IntRange(0, 200), 1, 10).Draw(rt, "seconds that runs take")
		synctest.Test(t, func(t *testing.T) {
			var slots []scheduler.Slot
			busy := false
			job := func(ctx context.Context, slot scheduler.Slot) bool {
				if busy {
					t.Error("two runs at once")
				}
				busy = true
				pause(ctx, time.Duration(takes[len(slots)%len(takes)])*time.Second)
				busy = false
				slots = append(slots, slot)
				return false
			}
			l := scheduler.Loop{Schedule: parse(t, "* * * * *", time.UTC), Offset: 7 * time.Second}
			lane := scheduler.NewLane(l, job)
			go func() {
				for _, s := range changes {
					time.Sleep(time.Duration(s) * time.Second)
					lane.Replace(l, job)
				}
				time.Sleep(5 * time.Minute)
				lane.End()
			}()
			before := time.Now().Add(-time.Minute) // the first slot is that of now
			lane.Run(t.Context())
			for _, slot := range slots {
				if want := before.Add(time.Duration(1+slot.Missed) * time.Minute); !slot.Time.Equal(want) {
					t.Errorf("slot %s with %d missed follows that of %s", slot.Time, slot.Missed, before)
				}
				before = slot.Time
			}
			if len(slots) == 0 {
				t.Error("no run at all")
			}
		})
	})
}

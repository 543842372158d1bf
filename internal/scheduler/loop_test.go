package scheduler_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/scheduler"
)

// A run is what a job saw, in a bubble whose clock starts at 2000-01-01 UTC.
type run struct {
	At      string
	Trigger scheduler.Trigger
	Missed  int
}

// runs lets the loop go for the given time.
func runs(t *testing.T, l scheduler.Loop, d time.Duration, job func(ctx context.Context, n int) bool) []run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var got []run
	busy := false
	l.Run(ctx, func(ctx context.Context, s scheduler.Slot) bool {
		if busy {
			t.Error("two runs at once")
		}
		busy = true
		defer func() { busy = false }()
		got = append(got, run{time.Now().UTC().Format("02 15:04:05"), s.Trigger, s.Missed})
		return job(ctx, len(got))
	})
	return got
}

func quick(context.Context, int) bool { return false }

func TestLoop(t *testing.T) {
	for _, tc := range []struct {
		what string
		spec string
		loop scheduler.Loop
		d    time.Duration
		job  func(ctx context.Context, n int) bool
		want []run
	}{
		{
			what: "runs at each slot, later by the offset",
			spec: "0 */6 * * *", loop: scheduler.Loop{Offset: 430 * time.Second}, d: 18 * time.Hour, job: quick,
			want: []run{{"01 00:07:10", "schedule", 0}, {"01 06:07:10", "schedule", 0}, {"01 12:07:10", "schedule", 0}},
		},
		{
			what: "runs at the start where asked to",
			spec: "0 */6 * * *", loop: scheduler.Loop{OnStart: true}, d: 7 * time.Hour, job: quick,
			want: []run{{"01 00:00:00", "start", 0}, {"01 06:00:00", "schedule", 0}},
		},
		{
			what: "gives up the slots that come during a long run",
			spec: "0 */6 * * *", d: 48 * time.Hour,
			job:  func(ctx context.Context, _ int) bool { return pause(ctx, 7*time.Hour) },
			want: []run{{"01 06:00:00", "schedule", 0}, {"01 18:00:00", "schedule", 1}, {"02 06:00:00", "schedule", 1}, {"02 18:00:00", "schedule", 1}},
		},
		{
			what: "counts each given-up slot once",
			spec: "@hourly", d: 330 * time.Minute,
			job:  func(ctx context.Context, n int) bool { return n == 1 && pause(ctx, 190*time.Minute) },
			want: []run{{"01 01:00:00", "schedule", 0}, {"01 05:00:00", "schedule", 3}},
		},
		{
			what: "goes on after a panic",
			spec: "@hourly", loop: scheduler.Loop{OnPanic: func(any, []byte) {}}, d: 210 * time.Minute,
			job:  func(context.Context, int) bool { panic("no") },
			want: []run{{"01 01:00:00", "schedule", 0}, {"01 02:00:00", "schedule", 0}, {"01 03:00:00", "schedule", 0}},
		},
		{
			what: "without a schedule runs at the start only",
			loop: scheduler.Loop{OnStart: true}, d: 24 * time.Hour, job: quick,
			want: []run{{"01 00:00:00", "start", 0}},
		},
	} {
		t.Run(tc.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if tc.spec != "" {
					tc.loop.Schedule = parse(t, tc.spec, time.UTC)
				}
				if diff := cmp.Diff(tc.want, runs(t, tc.loop, tc.d, tc.job)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}

// pause is a job that takes so long.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	return false
}

func TestHealRunsFollowAFailureEverLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended time.Time
		var delays []time.Duration
		l := scheduler.Loop{Schedule: parse(t, "0 */2 * * *", time.UTC)}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Hour)
		defer cancel()
		l.Run(ctx, func(ctx context.Context, s scheduler.Slot) bool {
			if s.Trigger == scheduler.Heal {
				delays = append(delays, time.Since(ended))
			} else if time.Now().Minute() != 0 {
				t.Errorf("slot at %s", time.Now())
			}
			pause(ctx, 10*time.Second)
			ended = time.Now()
			return s.Trigger != scheduler.Heal || len(delays) != 6 // heals at last, then fails anew
		})
		wants := []time.Duration{1, 2, 4, 8, 15, 15, 1, 2, 4, 8, 15, 15}
		if len(delays) < len(wants) {
			t.Fatalf("got %d heal runs, want %d", len(delays), len(wants))
		}
		for i, want := range wants {
			if want *= time.Minute; delays[i] > want || delays[i] <= want*3/4 {
				t.Errorf("heal run %d after %s, want %s less up to a quarter", i, delays[i], want)
			}
		}
	})
}

func TestASlotComesBeforeALaterHealRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := scheduler.Loop{Schedule: parse(t, "*/5 * * * *", time.UTC)}
		var got []scheduler.Trigger
		for _, r := range runs(t, l, 21*time.Minute, func(context.Context, int) bool { return true }) {
			got = append(got, r.Trigger)
		}
		want := []scheduler.Trigger{"schedule", "heal", "heal", "schedule", "schedule", "schedule"} // 5, 6, 8, 10, 15, 20
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestAPanicIsToldWithoutValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const canary = "canary-4711"
		var value any
		var stack []byte
		l := scheduler.Loop{OnStart: true, OnPanic: func(v any, s []byte) { value, stack = v, s }}
		runs(t, l, time.Hour, func(context.Context, int) bool { panicWith(canary); return true })
		if value != canary {
			t.Errorf("got %v", value)
		}
		if !bytes.Contains(stack, []byte("panicWith")) || bytes.Contains(stack, []byte(canary)) {
			t.Errorf("got the stack %s", stack)
		}
	})
}

func panicWith(s string) { panic(s) }

func TestTheEndOfTheContext(t *testing.T) {
	t.Run("reaches the job, and Run waits for it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start, drained := time.Now(), false
			l := scheduler.Loop{OnStart: true, Schedule: parse(t, "* * * * *", time.UTC)}
			got := runs(t, l, time.Hour, func(ctx context.Context, _ int) bool {
				<-ctx.Done()
				time.Sleep(5 * time.Second) // the write in flight
				drained = true
				return true
			})
			if took := time.Since(start); !drained || len(got) != 1 || took != time.Hour+5*time.Second {
				t.Errorf("drained %t, %d runs, took %s", drained, len(got), took)
			}
		})
	})
	t.Run("ends a wait at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			got := runs(t, scheduler.Loop{Schedule: parse(t, "@daily", time.UTC)}, 7*time.Second, quick)
			if took := time.Since(start); len(got) != 0 || took != 7*time.Second {
				t.Errorf("%d runs, took %s", len(got), took)
			}
		})
	})
	t.Run("before the start leaves nothing to run", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			if got := runs(t, scheduler.Loop{OnStart: true}, -1, quick); len(got) != 0 {
				t.Errorf("got %+v", got)
			}
		})
	})
}

func TestOnWaitHearsEachPlannedRunOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		l := scheduler.Loop{
			Schedule: parse(t, "@hourly", time.UTC), Offset: 90 * time.Second,
			OnWait: func(next time.Time) { got = append(got, next.Format(time.TimeOnly)) },
		}
		runs(t, l, 2*time.Hour+time.Minute, quick)
		if diff := cmp.Diff([]string{"00:01:30", "01:01:30", "02:01:30"}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestASpringOnTheClockOfBerlin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		days := map[string]int{}
		l := scheduler.Loop{Schedule: parse(t, "30 2 * * *", zone(t, "Europe/Berlin"))}
		runs(t, l, 100*24*time.Hour, func(context.Context, int) bool {
			days[time.Now().In(zone(t, "Europe/Berlin")).Format(time.DateOnly)]++
			return false
		})
		for day, n := range days {
			if n != 1 {
				t.Errorf("%s: %d runs", day, n)
			}
		}
		if len(days) != 100 {
			t.Errorf("ran on %d days, want 100", len(days))
		}
	})
}

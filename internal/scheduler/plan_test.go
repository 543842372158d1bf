package scheduler

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func hourly(t testing.TB) Schedule {
	t.Helper()
	s, err := Parse("@hourly", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestASlotMissedBeforeTheStart(t *testing.T) {
	for _, tc := range []struct {
		what    string
		loop    Loop
		started time.Duration // after noon
		want    Slot          // zero = no run
	}{
		{"nothing known: wait", Loop{}, 10 * time.Minute, Slot{}},
		{"nothing missed", Loop{Last: noon}, 10 * time.Minute, Slot{}},
		{"missed less than half a period ago", Loop{Last: noon.Add(-time.Hour)}, 29 * time.Minute, Slot{Time: noon, Trigger: Scheduled}},
		{"missed longer ago", Loop{Last: noon.Add(-time.Hour)}, 30 * time.Minute, Slot{}},
		{"of several the latest", Loop{Last: noon.Add(-5 * time.Hour)}, time.Minute, Slot{Time: noon, Trigger: Scheduled, Missed: 4}},
		{"late is counted from the offset", Loop{Last: noon.Add(-time.Hour), Offset: 20 * time.Minute}, 49 * time.Minute, Slot{Time: noon, Trigger: Scheduled}},
		{"its offset is not over", Loop{Last: noon.Add(-time.Hour), Offset: 20 * time.Minute}, 19 * time.Minute, Slot{}},
		{"OnStart", Loop{OnStart: true, Last: noon}, 10 * time.Minute, Slot{Time: noon, Trigger: Start}},
		{"OnStart makes up for all", Loop{OnStart: true, Last: noon.Add(-2 * time.Hour)}, time.Minute, Slot{Time: noon, Trigger: Start, Missed: 2}},
		{"OnStart, nothing known", Loop{OnStart: true}, time.Minute, Slot{Time: noon.Add(time.Minute), Trigger: Start}},
		{"last comes from a clock far ahead", Loop{Last: noon.AddDate(70, 0, 0)}, time.Minute, Slot{}},
	} {
		tc.loop.Schedule = hourly(t)
		now := noon.Add(tc.started)
		p := newPlan(tc.loop, now)
		got, ok := p.first(now, tc.loop.OnStart)
		if diff := cmp.Diff(tc.want, got); diff != "" || ok != (tc.want != Slot{}) {
			t.Errorf("%s: ran %t, (-want +got)\n%s", tc.what, ok, diff)
		}
		if at := p.at(); !at.After(now) || at.Sub(now) > time.Hour {
			t.Errorf("%s: next at %s", tc.what, at)
		}
	}
}

func TestAShortPeriodIsMadeUpForWithinTwoMinutes(t *testing.T) {
	s, err := Parse("@every 3m", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for late, want := range map[time.Duration]bool{119 * time.Second: true, 2 * time.Minute: false} {
		p := newPlan(Loop{Schedule: s, Last: noon.Add(-time.Hour)}, noon)
		if _, got := p.first(noon.Add(late), false); got != want {
			t.Errorf("%s late: got %t", late, got)
		}
	}
}

func TestASlotThatHasComeOutlivesItsSchedule(t *testing.T) {
	s, err := Parse("30 */6 * * *", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlan(Loop{Schedule: hourly(t)}, noon)
	now := noon.Add(2 * time.Hour)
	p.follow(Loop{Schedule: s}, now)
	got, ok := p.due(now)
	want := Slot{Time: now, Trigger: Scheduled, Missed: 1}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("ran %t, (-want +got)\n%s", ok, diff)
	}
	if _, again := p.due(now); again || !p.at().Equal(noon.Add(6*time.Hour+30*time.Minute)) {
		t.Errorf("ran again: %t, next at %s", again, p.at())
	}
}

// simulate lives for so long from noon as Run does, on a clock that jumps once,
// and returns the runs with the time the clock showed.
func simulate(p *plan, long, jumpAfter, jump time.Duration) (runs []Slot, at []time.Time) {
	now := noon
	for lived := time.Duration(0); lived < long; {
		if slot, ok := p.due(now); ok {
			runs, at = append(runs, slot), append(at, now)
			p.done(now, false)
		}
		nap := min(Poll, p.at().Sub(now))
		if lived < jumpAfter && lived+nap >= jumpAfter {
			now = now.Add(jump)
		}
		lived, now = lived+nap, now.Add(nap)
	}
	return runs, at
}

func TestAfterASuspendTheJobRunsOnceAndSoon(t *testing.T) {
	const asleep = 2*time.Hour + 21*time.Minute + 10*time.Second
	for _, jump := range []time.Duration{time.Minute, 40 * time.Minute, 2 * time.Hour, 26 * time.Hour, 48 * time.Hour} {
		p := newPlan(Loop{Schedule: hourly(t)}, noon)
		runs, at := simulate(p, 24*time.Hour, asleep, jump)
		awake := noon.Add(asleep).Add(jump)
		passed := int(awake.Sub(noon)/time.Hour) - 2 // slots slept through
		for i, run := range runs {
			late := at[i].Sub(run.Time)
			switch {
			case i == 2 && passed > 0:
				if run.Missed != passed-1 || at[i].Sub(awake) > time.Minute {
					t.Errorf("%s: got %+v at %s", jump, run, at[i])
				}
			case run.Missed != 0 || late != 0:
				t.Errorf("%s: run %d: got %+v at %s", jump, i, run, at[i])
			}
		}
		if len(runs) < 23 {
			t.Errorf("%s: got %d runs", jump, len(runs))
		}
	}
}

func TestAClockSetBackRepeatsNoSlot(t *testing.T) {
	p := newPlan(Loop{Schedule: hourly(t)}, noon)
	runs, _ := simulate(p, 24*time.Hour, 5*time.Hour+time.Minute, -2*time.Hour)
	for i, run := range runs {
		if want := noon.Add(time.Duration(i+1) * time.Hour); !run.Time.Equal(want) || run.Missed != 0 {
			t.Errorf("run %d: got %+v, want the slot %s", i, run, want)
		}
	}
	if len(runs) != 21 {
		t.Errorf("got %d runs, want 21", len(runs))
	}
}

func TestTenYears(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse("30 2 * * *", berlin)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlan(Loop{Schedule: s}, noon)
	for day := noon.AddDate(0, 0, 1); day.Before(noon.AddDate(10, 0, 0)); day = day.AddDate(0, 0, 1) {
		now := p.at()
		slot, ok := p.due(now)
		if got, want := now.Format(time.DateOnly), day.Format(time.DateOnly); got != want || !ok || slot.Missed != 0 {
			t.Fatalf("got %+v on %s, want one run on %s", slot, got, want)
		}
		p.done(now.Add(time.Minute), false)
	}
}

func TestAClockSetRightStartsAfresh(t *testing.T) {
	t.Run("it was far behind: one run, at once", func(t *testing.T) {
		p := newPlan(Loop{Schedule: hourly(t)}, time.Unix(0, 0))
		slot, ok := p.due(noon.Add(time.Minute))
		if want := (Slot{Time: noon.Add(time.Minute), Trigger: Scheduled, Missed: maxMissed - 1}); !ok || slot != want {
			t.Errorf("got %+v", slot)
		}
		if got, want := p.at(), noon.Add(time.Hour); !got.Equal(want) {
			t.Errorf("next at %s, want %s", got, want)
		}
	})
	t.Run("it was far ahead: the next slot", func(t *testing.T) {
		p := newPlan(Loop{Schedule: hourly(t)}, noon.AddDate(70, 0, 0))
		if slot, ok := p.due(noon); ok {
			t.Errorf("got %+v", slot)
		}
		if got, want := p.at(), noon.Add(time.Hour); !got.Equal(want) {
			t.Errorf("next at %s, want %s", got, want)
		}
	})
}

// However the clock moves and however long runs take: slots go forward, and
// each had its run or was counted as missed.
func TestEachSlotIsRunOrCountedOnce(t *testing.T) {
	s := hourly(t)
	rapid.Check(t, func(t *rapid.T) {
		minutes := rapid.IntRange(-23*60, 48*60)
		p := newPlan(Loop{Schedule: s, Offset: time.Duration(rapid.IntRange(0, 90).Draw(t, "offset")) * time.Minute}, noon)
		first, now, counted := p.next, noon, 0
		last := p.last
		for range rapid.IntRange(1, 50).Draw(t, "looks") {
			now = now.Add(time.Duration(minutes.Draw(t, "moved")) * time.Minute)
			if p.last.Sub(now) > maxSetBack {
				return
			}
			slot, ok := p.due(now)
			if !ok {
				continue
			}
			if slot.Trigger == Scheduled && !slot.Time.After(last) {
				t.Fatalf("slot %s after %s", slot.Time, last)
			}
			if slot.Trigger == Scheduled {
				counted++
			}
			counted += slot.Missed
			last = slot.Time
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "took")) * time.Minute)
			p.done(now, rapid.Bool().Draw(t, "again"))
		}
		if want := int(p.next.Sub(first) / time.Hour); counted+p.missed != want {
			t.Fatalf("got %d slots, want %d", counted+p.missed, want)
		}
	})
}

package syncer

import (
	"fmt"
	"testing"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/source"
)

func TestTheBrake(t *testing.T) {
	// max_changes is 20 %.
	for _, row := range []struct {
		owned, rotated int
		stops          bool
	}{
		{1, 1, false},
		{9, 9, false},
		{10, 2, false},
		{10, 3, true},
		{11, 2, false},
		{11, 3, true},
		{100, 20, false},
		{100, 21, true},
		{1000, 200, false},
		{1000, 201, true},
	} {
		t.Run(fmt.Sprintf("%d of %d", row.rotated, row.owned), func(t *testing.T) {
			b := newBench(t, row.owned, "one")
			b.sync(Options{})
			for n := range row.rotated {
				b.amazon.rotate(skill(n), fmt.Sprintf("rotated-%d", n))
			}
			s, _ := b.sync(Options{})
			if row.stops != (s.Brake != "") || row.stops != (s.Counts[Refused] == row.rotated) || row.stops == (s.Counts[Updated] == row.rotated) {
				t.Errorf("brake %q, %v", s.Brake, s.Counts)
			}
		})
	}
}

func TestAStoppedRunCreatesAndRepairsAllTheSame(t *testing.T) {
	b := newBench(t, 20, "one")
	b.sync(Options{})
	for n := range 10 {
		b.amazon.rotate(skill(n), fmt.Sprintf("rotated-%d", n))
	}
	b.sinks["one"].Tamper(name(15), "by hand")
	b.amazon.rotate(skill(99), "new")
	s, r := b.sync(Options{})
	b.want(s, Refused, 10, Repaired, 1, Created, 1, Unchanged, 9)
	b.stands("one", 0, "secret-0")
	if res := r.of(skill(0), "one"); res.Reason != Brake {
		t.Errorf("result %+v", res)
	}
	if got := len(b.trail.events(audit.RunRefused)); got != 1 {
		t.Errorf("%d run.refused records", got)
	}
}

func TestAnAcceptedPlanGoesThroughAndNoOther(t *testing.T) {
	b := newBench(t, 20, "one")
	b.sync(Options{})
	for n := range 10 {
		b.amazon.rotate(skill(n), fmt.Sprintf("rotated-%d", n))
	}
	stopped, _ := b.sync(Options{})
	b.amazon.rotate(skill(11), "another")
	again, _ := b.sync(Options{Accepted: []string{stopped.Plan}})
	b.want(again, Refused, 11, Unchanged, 9)
	if again.Plan == stopped.Plan {
		t.Error("another set of updates has the same plan ID")
	}
	done, _ := b.sync(Options{Accepted: []string{again.Plan}})
	b.want(done, Updated, 11, Unchanged, 9)
}

func TestOneSecretForTwoSkillsStopsUpdates(t *testing.T) {
	b := newBench(t, 50, "one")
	b.sync(Options{})
	b.amazon.rotate(skill(0), "the same")
	b.amazon.rotate(skill(1), "the same")
	s, _ := b.sync(Options{})
	b.want(s, Refused, 2, Unchanged, 48)
}

func TestManyBadPairsStopUpdates(t *testing.T) {
	b := newBench(t, 40, "one")
	b.sync(Options{})
	b.amazon.rotate(skill(0), "rotated")
	for n := 1; n <= 2; n++ {
		b.amazon.failing[skill(n)] = source.ErrInvalid
	}
	s, _ := b.sync(Options{DryRun: true})
	b.want(s, Updated, 1, Failed, 2, Unchanged, 37)
	b.amazon.failing[skill(3)] = source.ErrInvalid
	s, _ = b.sync(Options{})
	b.want(s, Refused, 1, Failed, 3, Unchanged, 36)
}

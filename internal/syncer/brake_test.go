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
		{0, 0, false},
		{1, 1, false},
		{9, 9, false},
		{10, 1, false},
		{10, 2, false},
		{10, 3, true},
		{11, 1, false},
		{11, 2, false},
		{11, 3, true},
		{100, 19, false},
		{100, 20, false},
		{100, 21, true},
		{1000, 199, false},
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
			if row.rotated == 0 {
				b.want(s)
				return
			}
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

func TestTheFirstFillIsNotBraked(t *testing.T) {
	b := newBench(t, 1000, "one")
	s, _ := b.sync(Options{})
	b.want(s, Created, 1000)
}

func TestAPlanIDIsOfTheUpdatesAlone(t *testing.T) {
	b := newBench(t, 20, "one")
	b.sync(Options{})
	for n := range 10 {
		b.amazon.rotate(skill(n), fmt.Sprintf("rotated-%d", n))
	}
	stopped := func() string {
		t.Helper()
		s, _ := b.sync(Options{})
		if s.Brake == "" || s.Counts[Refused] != 10 {
			t.Errorf("brake %q, %v", s.Brake, s.Counts)
		}
		return s.Plan
	}
	first := stopped()
	b.amazon.rotate(skill(99), "created")
	b.sinks["one"].Tamper(name(15), "repaired")
	b.amazon.failing[skill(16)] = source.ErrUnavailable
	if again := stopped(); again != first {
		t.Errorf("the same updates are plan %s and plan %s", first, again)
	}
	b.amazon.rotate(skill(0), "another")
	fingerprint := stopped()
	b.amazon.rotate(skill(0), "rotated-0")
	if err := b.otherInstance("in between"); err != nil {
		t.Fatal(err)
	}
	version := stopped()
	if fingerprint == first || version == first || version == fingerprint {
		t.Errorf("plans %s, of another value %s, over another version %s", first, fingerprint, version)
	}
	s, _ := b.sync(Options{Accepted: []string{first, fingerprint}})
	if s.Counts[Refused] != 10 || s.Plan != version {
		t.Errorf("plans of old let %v through; refused was %s", s.Counts, s.Plan)
	}
	s, _ = b.sync(Options{Accepted: []string{version}})
	if s.Counts[Updated] != 10 || s.Accepted != version {
		t.Errorf("accepted %q, %v", s.Accepted, s.Counts)
	}
}

func TestATwinAmongCreatesStopsUpdatesOfOthers(t *testing.T) {
	b := newBench(t, 20, "one")
	b.sync(Options{})
	b.amazon.rotate(skill(0), "the same")
	b.amazon.rotate(skill(1), "its own")
	b.amazon.rotate(skill(99), "the same")
	s, _ := b.sync(Options{})
	b.want(s, Refused, 2, Created, 1, Unchanged, 18)
}

func TestADecisionThatBecomesAnUpdateGoesToTheBrake(t *testing.T) {
	b := newBench(t, 10, "one")
	b.sync(Options{})
	b.amazon.rotate(skill(1), "rotated-1")
	b.amazon.rotate(skill(2), "rotated-2")
	b.sinks["one"].Tamper(name(0), "by hand")
	b.sinks["one"].Before = during("Put", func() error { return b.otherInstance("in between") })
	s, r := b.sync(Options{})
	b.want(s, Refused, 3, Unchanged, 7)
	if res := r.of(skill(0), "one"); res.Reason != Brake {
		t.Errorf("result %+v", res)
	}
	b.stands("one", 1, "secret-1")
}

func TestTooManyBadPairs(t *testing.T) {
	// More than 5 %, and 3 at least.
	for _, row := range []struct {
		fetched, bad int
		stops        bool
	}{
		{20, 2, false},
		{40, 2, false},
		{40, 3, true},
		{59, 3, true},
		{60, 3, false},
		{60, 4, true},
		{79, 4, true},
		{80, 4, false},
	} {
		for what, spoil := range map[string]func(b *bench, n int){
			"invalid": func(b *bench, n int) { b.amazon.failing[skill(n)] = source.ErrInvalid },
			"rejected": func(b *bench, n int) {
				b.amazon.rotate(skill(n), fmt.Sprint("bad-", n))
				b.amazon.rejects[skill(n)] = source.ErrRejected
			},
		} {
			t.Run(fmt.Sprintf("%d of %d %s", row.bad, row.fetched, what), func(t *testing.T) {
				b := newBench(t, row.fetched, "one")
				b.sync(Options{})
				b.amazon.rotate(skill(0), "rotated")
				for n := range row.bad {
					spoil(b, n+1)
				}
				s, _ := b.sync(Options{})
				if row.stops != (s.Counts[Refused] == 1) || row.stops == (s.Counts[Updated] == 1) || s.Counts[Failed] != row.bad {
					t.Errorf("brake %q, %v", s.Brake, s.Counts)
				}
			})
		}
	}
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

package syncer

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

func TestAFirstRunFillsEverySinkAndTheSecondWritesNothing(t *testing.T) {
	b := newBench(t, 25, "one", "two")
	s, _ := b.sync(Options{})
	b.want(s, Created, 50)
	for n := range 25 {
		b.stands("one", n, fmt.Sprintf("secret-%d", n))
		b.stands("two", n, fmt.Sprintf("secret-%d", n))
	}
	if b.amazon.fetched != 25 || b.amazon.proven != 25 {
		t.Errorf("%d fetches, %d proofs; want 25 of each", b.amazon.fetched, b.amazon.proven)
	}
	before := len(b.trail.events(audit.WriteIntent))
	s, _ = b.sync(Options{})
	b.want(s, Unchanged, 50)
	if got := len(b.trail.events(audit.WriteIntent)); got != before {
		t.Errorf("%d intents in a run that changed nothing", got-before)
	}
	if b.amazon.proven != 25 {
		t.Errorf("an unchanged pair was proven again")
	}
}

func TestRotatedPairsAndThoseAloneAreUpdated(t *testing.T) {
	b := newBench(t, 25, "one", "two")
	b.sync(Options{})
	for n := range 3 {
		b.amazon.rotate(skill(n), fmt.Sprintf("rotated-%d", n))
	}
	s, r := b.sync(Options{})
	b.want(s, Updated, 6, Unchanged, 44)
	b.stands("two", 2, "rotated-2")
	if got := b.versions("one"); got != 28 {
		t.Errorf("%d versions in all, want 28", got)
	}
	if res := r.of(skill(1), "one"); res.Version != "2" || res.Name != name(1) {
		t.Errorf("result %+v", res)
	}
}

func TestWhatSomebodyAlteredIsRepaired(t *testing.T) {
	b := newBench(t, 3, "one")
	b.sync(Options{})
	b.sinks["one"].Tamper(name(0), `{"by":"hand"}`)
	b.sinks["one"].SoftDelete(name(1))
	s, _ := b.sync(Options{})
	b.want(s, Repaired, 2, Unchanged, 1)
	b.stands("one", 0, "secret-0")
	b.stands("one", 1, "secret-1")
}

func TestWhatIsNotOursIsRefusedAndUntouched(t *testing.T) {
	for what, owner := range map[string]sink.Owner{
		"no mark": {}, "another instance": {Instance: "prod2", Skill: skill(0)}, "another skill": {Instance: "prod", Skill: skill(9)},
	} {
		t.Run(what, func(t *testing.T) {
			b := newBench(t, 2, "one")
			b.sinks["one"].Foreign(name(0), "theirs", owner)
			s, r := b.sync(Options{})
			b.want(s, Refused, 1, Created, 1)
			if res := r.of(skill(0), "one"); res.Reason != Foreign || res.Error == "" {
				t.Errorf("result %+v", res)
			}
			if body, _, _ := b.sinks["one"].Stored(name(0)); body != "theirs" {
				t.Errorf("foreign secret is now %q", body)
			}
		})
	}
}

func TestEachFailureStaysWithItsSkill(t *testing.T) {
	b := newBench(t, 8, "one")
	failures := []error{
		source.ErrNotFound, source.ErrDenied, source.ErrInvalid, source.ErrRateLimited, source.ErrUnavailable,
		context.DeadlineExceeded, fmt.Errorf("something else"),
	}
	want := []Reason{NotFound, Denied, Invalid, RateLimited, Unavailable, Timeout, Internal}
	for n, err := range failures {
		b.amazon.failing[skill(n)] = fmt.Errorf("ask: %w", err)
	}
	s, r := b.sync(Options{})
	b.want(s, Failed, 6, Skipped, 1, Created, 1) // its turn would have come too late: not reached
	for n, reason := range want {
		if got := r.of(skill(n), "one").Reason; got != reason {
			t.Errorf("%v: reason %s, want %s", failures[n], got, reason)
		}
	}
	heal := []credential.SkillID{skill(3), skill(4), skill(5), skill(6)}
	if diff := cmp.Diff(heal, s.Healable); diff != "" {
		t.Errorf("healable (-want +got):\n%s", diff)
	}
}

func TestADeadSinkDoesNotStopTheOther(t *testing.T) {
	b := newBench(t, 100, "dead", "alive")
	b.sinks["dead"].Before = func(context.Context, string, string) error { return errDown }
	s, _ := b.sync(Options{})
	b.want(s, Failed, 100, Created, 100)
	if got := b.sinks["dead"].Requests(); got > 3*(breakerFailures+4) {
		t.Errorf("a dead sink was asked %d times", got)
	}
}

func TestARejectedPairIsNotPublished(t *testing.T) {
	b := newBench(t, 3, "one")
	b.amazon.rejects[skill(0)] = fmt.Errorf("lwa: %w", source.ErrRejected)
	b.amazon.rejects[skill(1)] = fmt.Errorf("lwa: %w", source.ErrUnavailable)
	s, r := b.sync(Options{})
	b.want(s, Failed, 1, Created, 2)
	if got := r.of(skill(0), "one").Reason; got != Rejected {
		t.Errorf("reason %s", got)
	}
}

func TestBadLinesFailAlone(t *testing.T) {
	b := newBench(t, 2, "one")
	b.job.Skills = func(context.Context) ([]source.Entry, error) {
		return append(b.entries(), source.Entry{Where: source.Place{List: "skills.txt", Line: 3}, Err: fmt.Errorf("skills.txt:3: bad")}), nil
	}
	s, r := b.sync(Options{})
	b.want(s, Created, 2, Failed, 1)
	if i := slices.IndexFunc(r.all, func(r Result) bool { return r.Reason == Invalid }); i < 0 || r.all[i].Error != "invalid: skills.txt:3: bad" {
		t.Errorf("results %+v", r.all)
	}
}

func TestTwoSkillsWithOneNameAreBothLeftAlone(t *testing.T) {
	b := newBench(t, 3, "one")
	b.job.Targets[0].Names, _ = sink.ParseTemplate("alexa/{label}")
	b.job.Skills = func(context.Context) ([]source.Entry, error) {
		entries := b.entries()
		entries[0].Label, entries[1].Label, entries[2].Label = "kitchen", "kitchen", "garden"
		return entries, nil
	}
	s, r := b.sync(Options{})
	b.want(s, Created, 1, Failed, 2)
	if r.of(skill(0), "one").Reason != Invalid || r.of(skill(1), "one").Reason != Invalid {
		t.Errorf("results %+v", r.all)
	}
}

func TestAListThatFailsFailsTheRun(t *testing.T) {
	b := newBench(t, 2, "one")
	b.job.Skills = func(context.Context) ([]source.Entry, error) { return nil, fmt.Errorf("skills.txt: empty") }
	s, r := b.sync(Options{})
	if s.Err == nil || len(r.all) != 0 || b.amazon.fetched != 0 {
		t.Errorf("err %v, %d results, %d fetches", s.Err, len(r.all), b.amazon.fetched)
	}
	if got := len(b.trail.events(audit.RunFinish)); got != 1 {
		t.Errorf("%d run.finish records", got)
	}
}

func TestAPlanWritesNothingAndSaysWhatSyncWouldDo(t *testing.T) {
	b := newBench(t, 12, "one")
	s, _ := b.sync(Options{DryRun: true})
	b.want(s, Created, 12)
	if len(b.trail.records) != 0 || b.versions("one") != 0 {
		t.Errorf("a plan left %d records and %d versions", len(b.trail.records), b.versions("one"))
	}
	b.sync(Options{})
	b.amazon.rotate(skill(0), "rotated")
	b.sinks["one"].Tamper(name(1), "by hand")
	plan, _ := b.sync(Options{DryRun: true})
	b.want(plan, Updated, 1, Repaired, 1, Unchanged, 10)
	done, _ := b.sync(Options{})
	b.want(done, Updated, 1, Repaired, 1, Unchanged, 10)
	if plan.Plan == "" || plan.Plan != done.Plan {
		t.Errorf("plan %q, sync %q", plan.Plan, done.Plan)
	}
}

func TestOnlyTheNamedSkillsAreVisited(t *testing.T) {
	b := newBench(t, 5, "one")
	s, r := b.sync(Options{Only: []credential.SkillID{skill(3)}})
	b.want(s, Created, 1)
	if r.all[0].Skill != skill(3) || len(s.Orphans) != 0 {
		t.Errorf("results %+v, orphans %v", r.all, s.Orphans)
	}
}

func TestEveryWriteStandsBetweenIntentAndOutcome(t *testing.T) {
	b := newBench(t, 4, "one")
	b.sync(Options{Trigger: TriggerManual})
	open := map[string]audit.Record{}
	for _, r := range b.trail.records {
		switch r.Event {
		case audit.WriteIntent:
			open[r.Name] = r
		case audit.WriteOutcome:
			in, ok := open[r.Name]
			if !ok || in.Fingerprint != r.Fingerprint || in.Action != audit.Create || r.Outcome != "created" || r.Version != "1" {
				t.Errorf("intent %+v (%t), outcome %+v", in, ok, r)
			}
			delete(open, r.Name)
		}
		if r.Run == "" || r.Job != "job" || r.Trigger != "manual" {
			t.Errorf("record without its run: %+v", r)
		}
	}
	if first, last := b.trail.records[0].Event, b.trail.records[len(b.trail.records)-1].Event; first != audit.RunStart || last != audit.RunFinish || len(open) != 0 {
		t.Errorf("begins with %s, ends with %s, %d intents open", first, last, len(open))
	}
}

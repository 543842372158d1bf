package syncer

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

func TestOrphansAreReportedAndLeftAlone(t *testing.T) {
	b := newBench(t, 3, "one")
	b.sync(Options{})
	delete(b.amazon.pairs, skill(2))
	s, _ := b.sync(Options{})
	b.want(s, Unchanged, 2)
	if diff := cmp.Diff([]Orphan{{Sink: "one", Name: name(2), Skill: skill(2)}}, s.Orphans); diff != "" {
		t.Errorf("orphans (-want +got):\n%s", diff)
	}
	if _, _, ok := b.sinks["one"].Stored(name(2)); !ok {
		t.Error("the orphan is gone")
	}
	t.Run("not when another job has it", func(t *testing.T) {
		job := b.job
		job.Skills = func(context.Context) ([]source.Entry, error) { return []source.Entry{{Skill: skill(2)}}, nil }
		b.job.Neighbours = []Job{job}
		if s, _ := b.sync(Options{}); len(s.Orphans) != 0 {
			t.Errorf("orphans %v", s.Orphans)
		}
		b.job.Neighbours = nil
	})
	t.Run("not when a line of the list is bad", func(t *testing.T) {
		b.job.Skills = func(context.Context) ([]source.Entry, error) {
			return append(b.entries(), source.Entry{Err: fmt.Errorf("bad")}), nil
		}
		if s, _ := b.sync(Options{}); len(s.Orphans) != 0 {
			t.Errorf("orphans %v", s.Orphans)
		}
	})
}

func TestAListingSavesTheInspections(t *testing.T) {
	b := newBench(t, 100, "one")
	b.sync(Options{})
	b.engine.Memory = &Memory{} // some time later
	before := b.sinks["one"].Requests()
	s, _ := b.sync(Options{})
	b.want(s, Unchanged, 100)
	if got := b.sinks["one"].Requests() - before; got != 1 {
		t.Errorf("%d requests for 100 unchanged secrets", got)
	}
	before = b.sinks["one"].Requests()
	s, _ = b.sync(Options{})
	b.want(s, Unchanged, 100)
	if got := b.sinks["one"].Requests() - before; got < 100 {
		t.Errorf("right after a run, a listing that may lag was trusted: %d requests", got)
	}
}

func TestAdopt(t *testing.T) {
	b := newBench(t, 4, "one")
	s := b.sinks["one"]
	s.Foreign(name(0), "by hand", sink.Owner{})
	s.Foreign(name(1), "renamed", sink.Owner{Instance: "old", Skill: skill(1)})
	b.sync(Options{Only: []credential.SkillID{skill(2)}})
	target := b.job.Targets[0]
	outcomes := func(as []Adoption) (out []AdoptOutcome) {
		for _, a := range as {
			out = append(out, a.Outcome)
		}
		return out
	}
	dry := b.engine.Adopt(t.Context(), "job", target, b.entries(), true)
	if diff := cmp.Diff([]AdoptOutcome{WouldBeTaken, WouldBeTaken, AlreadyOurs, Absent}, outcomes(dry)); diff != "" {
		t.Errorf("dry run (-want +got):\n%s", diff)
	}
	if got := len(b.trail.events(audit.Adopt)); got != 0 {
		t.Errorf("a dry run left %d records", got)
	}
	done := b.engine.Adopt(t.Context(), "job", target, b.entries(), false)
	if diff := cmp.Diff([]AdoptOutcome{Adopted, Adopted, AlreadyOurs, Absent}, outcomes(done)); diff != "" {
		t.Errorf("adopt (-want +got):\n%s", diff)
	}
	if body, _, _ := s.Stored(name(0)); body != "by hand" {
		t.Errorf("adopting changed the value to %q", body)
	}
	sum, _ := b.sync(Options{})
	b.want(sum, Repaired, 2, Unchanged, 1, Created, 1)
	b.stands("one", 0, "secret-0")
	if got := len(b.trail.events(audit.Adopt)); got != 4 {
		t.Errorf("%d adopt records, want an intent and an outcome for each of two", got)
	}
}

func TestTheLookEndsAtTwoThirdsSoThatUpdatesGetThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 60, "one")
		b.sync(Options{})
		b.engine.Memory = &Memory{}
		for n := range 60 {
			b.amazon.rotate(skill(n), fmt.Sprintf("rotated-%d", n))
		}
		b.job.MaxChanges, b.job.Timeout, b.job.Workers = 1, 30*time.Second, 1
		b.amazon.before = func(ctx context.Context, _ credential.SkillID) error {
			select {
			case <-time.After(time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		s, r := b.sync(Options{})
		if got := s.Counts[Updated]; got < 19 || got > 20 {
			t.Errorf("%d updates got through, want the 20 of 20 s: %v", got, s.Counts)
		}
		if s.Counts[Updated]+s.Counts[Failed]+s.Counts[Skipped] != 60 || s.Counts[Failed] > 1 {
			t.Errorf("outcomes %v", s.Counts)
		}
		for _, res := range r.all {
			if res.Outcome != Updated && res.Reason != Timeout {
				t.Errorf("result %+v", res)
			}
		}
	})
}

func TestTenThousandSkillsAtFiveASecondAreUpdatedWithinHalfAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const skills, rotated = 10_000, 500
		b := newBench(t, skills, "one")
		b.job.Verify = nil
		b.sync(Options{})
		b.engine.Memory = &Memory{}
		for n := range rotated {
			b.amazon.rotate(skill(n*skills/rotated), fmt.Sprintf("rotated-%d", n))
		}
		b.job.Timeout, b.job.Workers = 30*time.Minute, 1
		b.amazon.before = func(ctx context.Context, _ credential.SkillID) error { return spend(ctx, 200*time.Millisecond) }
		b.sinks["one"].Before = func(ctx context.Context, method, _ string) error {
			if method == "Put" {
				return spend(ctx, time.Second)
			}
			return nil
		}
		s, r := b.sync(Options{})
		reached := s.Counts[Updated] + s.Counts[Unchanged]
		if reached < 5_990 || reached > 6_000 || s.Counts[Updated] < rotated/2 || s.Brake != "" {
			t.Errorf("20 minutes reach 6,000, of which 300 are to be updated: %v, brake %q", s.Counts, s.Brake)
		}
		for _, res := range r.all {
			late := res.Outcome == Skipped || res.Outcome == Failed
			if late != (res.Reason == Timeout) || late != (res.Reason != NoReason) {
				t.Errorf("result %+v", res)
			}
		}
		if s.Counts[Failed] > 1 || s.Err != nil || !s.Useful() || s.Short() == 0 {
			t.Errorf("it is partial: %v, %v", s.Counts, s.Err)
		}
		if s.Took < 20*time.Minute || s.Took > 30*time.Minute {
			t.Errorf("took %v", s.Took)
		}
	})
}

// spend takes d of the time that ctx has.
func spend(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestAWriteInFlightOutlivesTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 3, "one")
		b.job.Workers = 1
		ctx, stop := context.WithCancel(t.Context())
		b.sinks["one"].Before = func(ctx context.Context, method, _ string) error {
			if method != "Put" {
				return nil
			}
			stop()
			select {
			case <-time.After(3 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		var r results
		within(t, 10*time.Second, func() { b.engine.Sync(ctx, b.job, Options{}, &r) })
		if b.versions("one") != 1 {
			t.Errorf("%d versions, want the one in flight", b.versions("one"))
		}
		skipped := 0
		for _, res := range r.all {
			if res.Outcome == Skipped && res.Reason == Canceled {
				skipped++
			}
		}
		if skipped != 2 {
			t.Errorf("results %+v", r.all)
		}
	})
}

func TestAWriteThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 1, "one")
		ctx, stop := context.WithCancel(t.Context())
		b.sinks["one"].Before = func(ctx context.Context, method, _ string) error {
			if method != "Put" {
				return nil
			}
			stop()
			<-ctx.Done()
			return ctx.Err()
		}
		within(t, 10*time.Second, func() { b.engine.Sync(ctx, b.job, Options{}, &results{}) })
	})
}

func TestAPanicFailsOneName(t *testing.T) {
	b := newBench(t, 3, "one")
	b.sinks["one"].Before = func(_ context.Context, method, n string) error {
		if method == "Inspect" && n == name(1) {
			panic("secret-1 is in here")
		}
		return nil
	}
	s, r := b.sync(Options{})
	b.want(s, Failed, 1, Created, 2)
	if res := r.of(skill(1), "one"); res.Reason != Internal || res.Error != "panic (string); the log has the stack; please report it" {
		t.Errorf("result %+v", res)
	}
}

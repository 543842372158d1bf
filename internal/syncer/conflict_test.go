package syncer

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/sink"
)

func TestAConflictIsDecidedAnew(t *testing.T) {
	t.Run("a hand edit between look and write is repaired", func(t *testing.T) {
		b := newBench(t, 1, "one")
		b.sync(Options{})
		b.amazon.rotate(skill(0), "rotated")
		s := b.sinks["one"]
		s.Before = during("Put", func() error { s.Tamper(name(0), "by hand"); return nil })
		sum, r := b.sync(Options{})
		b.want(sum, Updated, 1)
		b.stands("one", 0, "rotated")
		if got := r.all[0].Version; got != "3" {
			t.Errorf("version %s", got)
		}
	})
	t.Run("a newcomer keeps the name", func(t *testing.T) {
		b := newBench(t, 1, "one")
		s := b.sinks["one"]
		s.Before = during("Put", func() error { s.Foreign(name(0), "theirs", sink.Owner{}); return nil })
		sum, r := b.sync(Options{})
		if r.all[0].Outcome == Created {
			t.Errorf("result %+v", r.all[0])
		}
		if body, _, _ := s.Stored(name(0)); body != "theirs" || sum.Counts[Created] != 0 {
			t.Errorf("holds %q, counts %v", body, sum.Counts)
		}
	})
	t.Run("a lost answer is no second write", func(t *testing.T) {
		b := newBench(t, 1, "one")
		b.sinks["one"].After = during("Put", func() error { return errCut })
		b.sync(Options{})
		s, _ := b.sync(Options{})
		b.want(s, Unchanged, 1)
		if got := b.versions("one"); got != 1 {
			t.Errorf("%d versions", got)
		}
	})
	t.Run("an update that becomes another update is judged again", func(t *testing.T) {
		b := newBench(t, 1, "one")
		b.sync(Options{})
		b.amazon.rotate(skill(0), "rotated")
		s := b.sinks["one"]
		s.Before = during("Put", func() error { return b.otherInstance("in between") })
		sum, _ := b.sync(Options{})
		b.want(sum, Updated, 1)
		b.stands("one", 0, "rotated")
	})
	t.Run("a name that never holds still fails", func(t *testing.T) {
		b := newBench(t, 1, "one")
		b.sync(Options{})
		b.amazon.rotate(skill(0), "rotated")
		s, n := b.sinks["one"], 0
		s.Before = func(_ context.Context, method, _ string) error {
			if method == "Put" {
				n++
				s.Tamper(name(0), fmt.Sprint("by hand ", n))
			}
			return nil
		}
		sum, r := b.sync(Options{})
		b.want(sum, Failed, 1)
		if r.all[0].Reason != Conflict || n != maxDecisions {
			t.Errorf("result %+v after %d attempts", r.all[0], n)
		}
	})
}

// otherInstance writes a value as a second daemon of the same instance would.
func (b *bench) otherInstance(secret string) error {
	s := b.sinks["one"]
	pair := b.amazon.pairs[skill(0)]
	owner := sink.Owner{Instance: "prod", Skill: skill(0)}
	record, err := s.Form().Record(b.engine.Key, owner, name(0), []sink.Field{{Name: "client_id", Value: pair.Fill(secret)}})
	if err != nil {
		return err
	}
	ctx := context.WithValue(b.Context(), other{}, true)
	now, err := s.Inspect(ctx, name(0))
	if err != nil {
		return err
	}
	_, err = s.Put(ctx, name(0), record, now)
	return err
}

func TestAFightIsGivenUpAfterThreeRuns(t *testing.T) {
	b := newBench(t, 1, "one")
	b.sync(Options{})
	for range maxRepairs {
		b.sinks["one"].Tamper(name(0), "by hand")
		s, _ := b.sync(Options{})
		b.want(s, Repaired, 1)
	}
	b.sinks["one"].Tamper(name(0), "by hand")
	for range 3 {
		s, r := b.sync(Options{})
		b.want(s, Failed, 1)
		if r.all[0].Reason != Conflict {
			t.Errorf("result %+v", r.all[0])
		}
	}
	b.engine.Memory = &Memory{} // a one-shot command remembers nothing
	s, _ := b.sync(Options{})
	b.want(s, Repaired, 1)
	s, _ = b.sync(Options{})
	b.want(s, Unchanged, 1)
	b.sinks["one"].Tamper(name(0), "by hand")
	s, _ = b.sync(Options{})
	b.want(s, Repaired, 1)
}

func TestTwoDaemonsThatDisagreeEndInAConflict(t *testing.T) {
	b := newBench(t, 1, "one")
	other := b.job
	other.Targets = slices.Clone(b.job.Targets)
	other.Targets[0].Fields = []FieldTemplate{{"ALEXA_CLIENT_SECRET", "{client_secret}"}}
	daemons := []struct {
		memory *Memory
		job    Job
	}{{&Memory{}, b.job}, {&Memory{}, other}}
	last := make([]Reason, 2)
	for range 8 {
		for i, d := range daemons {
			b.engine.Memory, b.job = d.memory, d.job
			_, r := b.sync(Options{})
			last[i] = r.all[0].Reason
		}
	}
	// The first one, and of each its own and what it wrote again.
	if got := b.versions("one"); got > 1+2*(1+maxRepairs) {
		t.Errorf("%d versions after 8 runs of each", got)
	}
	if !slices.Contains(last, Conflict) {
		t.Errorf("they end in %q", last)
	}
}

func TestWithoutATrailNothingIsWritten(t *testing.T) {
	t.Run("from the start", func(t *testing.T) {
		b := newBench(t, 3, "one")
		b.trail.fail = func(audit.Record) error { return fmt.Errorf("disk full") }
		s, r := b.sync(Options{})
		if s.Err == nil || len(r.all) != 0 || b.versions("one") != 0 {
			t.Errorf("err %v, %d results, %d versions", s.Err, len(r.all), b.versions("one"))
		}
	})
	t.Run("from some point on", func(t *testing.T) {
		b := newBench(t, 20, "one")
		intents := 0
		b.trail.fail = func(r audit.Record) error {
			if r.Event == audit.WriteIntent {
				if intents++; intents > 5 {
					return fmt.Errorf("disk full")
				}
			}
			return nil
		}
		s, r := b.sync(Options{})
		b.want(s, Created, 5, Skipped, 15)
		if b.versions("one") != 5 {
			t.Errorf("%d versions", b.versions("one"))
		}
		for _, res := range r.all {
			if res.Outcome == Skipped && (res.Reason != Unavailable || res.Error == "") {
				t.Errorf("result %+v", res)
			}
		}
	})
}

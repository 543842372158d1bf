package syncer

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

func TestTheBrakeRemembersInADaemon(t *testing.T) {
	t.Run("a heal run is held against all names that are ours", func(t *testing.T) {
		b := newBench(t, 100, "one")
		b.sync(Options{})
		b.sync(Options{})
		for n := range 9 {
			b.amazon.rotate(skill(n), fmt.Sprintf("rotated-%d", n))
		}
		heal := Options{Trigger: TriggerHeal, Only: []credential.SkillID{skill(0), skill(1), skill(2)}}
		s, _ := b.sync(heal)
		b.want(s, Updated, 3) // 3 of 100, not 3 of 3
	})
	t.Run("many small runs are one large one, for a day", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, 100, "one")
			b.sync(Options{})
			updated := 0
			for run := range 5 {
				for n := range 10 {
					b.amazon.rotate(skill(10*run+n), fmt.Sprintf("rotated-%d-%d", run, n))
				}
				s, _ := b.sync(Options{})
				updated += s.Counts[Updated]
				time.Sleep(time.Hour)
			}
			if updated != 20 {
				t.Errorf("%d of 100 were updated within 5 hours, max_changes is 20 %%", updated)
			}
			time.Sleep(24 * time.Hour)
			b.job.MaxChanges = 0.3
			if s, _ := b.sync(Options{}); s.Counts[Updated] != 30 {
				t.Errorf("a day later: %v, %s", s.Counts, s.Brake)
			}
		})
	})
	t.Run("what heal runs update counts, for a day", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, 100, "one")
			b.sync(Options{})
			b.sync(Options{})
			heal := func(from, to int) Summary {
				var ids []credential.SkillID
				for n := from; n < to; n++ {
					b.amazon.rotate(skill(n), fmt.Sprintf("rotated-%d", n))
					ids = append(ids, skill(n))
				}
				s, _ := b.sync(Options{Trigger: TriggerHeal, Only: ids})
				return s
			}
			b.want(heal(0, 15), Updated, 15)
			b.want(heal(15, 21), Refused, 6)
			b.want(heal(21, 26), Updated, 5)
			b.want(heal(26, 27), Refused, 1)
			time.Sleep(brakeWindow - time.Second)
			b.want(heal(26, 27), Refused, 1)
			time.Sleep(2 * time.Second)
			b.want(heal(26, 27), Updated, 1)
		})
	})
	t.Run("a share that is met exactly is allowed", func(t *testing.T) {
		for _, percent := range []int{29, 57, 58} {
			b := newBench(t, 100, "one")
			b.sync(Options{})
			b.job.MaxChanges = float64(percent) / 100
			for n := range percent {
				b.amazon.rotate(skill(n), fmt.Sprintf("rotated-%d", n))
			}
			s, _ := b.sync(Options{})
			b.want(s, Updated, percent, Unchanged, 100-percent)
		}
	})
}

func TestAnAcceptedPlanCountsOnceItWroteSomething(t *testing.T) {
	b := newBench(t, 20, "one")
	b.sync(Options{})
	for n := range 10 {
		b.amazon.rotate(skill(n), fmt.Sprintf("rotated-%d", n))
	}
	stopped, _ := b.sync(Options{})
	b.sinks["one"].Before = func(_ context.Context, method, _ string) error {
		if method == "Put" {
			return errDown
		}
		return nil
	}
	s, _ := b.sync(Options{Accepted: []string{stopped.Plan}})
	if s.Accepted != "" || s.Counts[Failed] != 10 {
		t.Errorf("nothing was written, and the plan counts as %q: %v", s.Accepted, s.Counts)
	}
	b.sinks["one"].Before, b.job.Workers = during("Put", func() error { return b.otherInstance("in between") }), 1
	s, _ = b.sync(Options{Accepted: []string{stopped.Plan}})
	if s.Accepted != stopped.Plan {
		t.Errorf("accepted %q, the plan was %q", s.Accepted, stopped.Plan)
	}
}

func TestAWriteThatIsNotOnRecordIsSaid(t *testing.T) {
	b := newBench(t, 1, "one")
	b.trail.fail = func(r audit.Record) error {
		if r.Event == audit.WriteOutcome {
			return fmt.Errorf("disk full")
		}
		return nil
	}
	s, _ := b.sync(Options{})
	if s.Err == nil || s.Counts[Created] != 1 {
		t.Errorf("err %v, %v", s.Err, s.Counts)
	}
}

func TestAWriteWithoutAnAnswerHasAnOutcome(t *testing.T) {
	for name, stop := range map[string]func(*bench) (context.Context, context.CancelFunc){
		"at the end of its time": func(b *bench) (context.Context, context.CancelFunc) {
			b.job.Timeout = 3 * time.Second
			return b.Context(), func() {}
		},
		"when stopped": func(b *bench) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(b.Context())
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, 1, "one")
				b.sinks["one"].Before = func(ctx context.Context, method, _ string) error {
					if method == "Put" {
						<-ctx.Done()
						return ctx.Err()
					}
					return nil
				}
				ctx, cancel := stop(b)
				defer cancel()
				var r results
				s := b.engine.Sync(ctx, b.job, Options{}, &r)
				if got := len(b.trail.events(audit.WriteOutcome)); got != 1 || len(b.trail.events(audit.RunFinish)) != 1 || s.Err != nil {
					t.Errorf("%d outcomes, err %v", got, s.Err)
				}
				if b.job.Timeout > 0 && (r.all[0].Reason != Timeout || len(s.Healable) != 1) {
					t.Errorf("result %+v", r.all[0])
				}
			})
		})
	}
}

func TestHalfALookIsNothingToJudgeBy(t *testing.T) {
	b := newBench(t, 100, "one")
	b.sync(Options{})
	for n := range 100 {
		b.amazon.rotate(skill(n), fmt.Sprintf("rotated-%d", n))
	}
	ctx, stop := context.WithCancel(t.Context())
	b.amazon.before = func(context.Context, credential.SkillID) error {
		if b.amazon.fetched > 150 {
			stop()
		}
		return nil
	}
	b.job.Workers = 1
	s := b.engine.Sync(ctx, b.job, Options{}, &results{})
	if s.Brake != "" || s.Counts[Failed] > 1 || s.Counts[Failed]+s.Counts[Skipped] != 100 { // one was in flight
		t.Errorf("brake %q, %v", s.Brake, s.Counts)
	}
}

func TestAPairThatCouldNotBeProvenForWantOfTimeIsNotPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 1, "one")
		b.job.Timeout = 30 * time.Second
		b.job.Verify = hangs{}
		s, r := b.sync(Options{})
		b.want(s, Failed, 1)
		if r.all[0].Reason != Timeout || b.versions("one") != 0 {
			t.Errorf("result %+v", r.all[0])
		}
	})
}

type hangs struct{}

func (hangs) Verify(ctx context.Context, _ credential.Credential) error {
	<-ctx.Done()
	return fmt.Errorf("lwa: %w", source.ErrUnavailable)
}

func TestTheActionOnRecordIsTheLastDecision(t *testing.T) {
	b := newBench(t, 1, "one")
	b.sinks["one"].Before = during("Put", func() error { return b.otherInstance("another value") })
	s, _ := b.sync(Options{})
	b.want(s, Created, 1)
	intents := b.trail.events(audit.WriteIntent)
	if len(intents) != 2 || intents[0].Action != audit.Create || intents[1].Action != audit.Update {
		t.Errorf("intents %+v", intents)
	}
}

// broken is a sink whose listing panics.
type broken struct{ sink.Sink }

func (broken) List(context.Context, string, func(string, sink.State)) error { panic("no") }

func TestAPanicInAListingFailsThatSink(t *testing.T) {
	b := newBench(t, 2, "broken", "one")
	b.job.Targets[0].Sink = broken{b.sinks["broken"]}
	s, r := b.sync(Options{})
	b.want(s, Failed, 2, Created, 2)
	if got := r.of(skill(0), "broken").Reason; got != Internal {
		t.Errorf("reason %s", got)
	}
}

func TestOnlyDoesNotHideATwin(t *testing.T) {
	b := newBench(t, 2, "one")
	b.job.Targets[0].Names, _ = sink.ParseTemplate("alexa/{label}")
	b.job.Skills = func(context.Context) ([]source.Entry, error) {
		entries := b.entries()
		entries[0].Label, entries[1].Label = "kitchen", "kitchen"
		return entries, nil
	}
	s, _ := b.sync(Options{Only: []credential.SkillID{skill(0)}})
	b.want(s, Failed, 1)
}

func TestAnUpdateThatWasHeldLongIsLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 2, "one")
		b.sync(Options{})
		b.amazon.rotate(skill(0), "rotated")
		b.job.Workers = 2
		b.amazon.before = func(_ context.Context, id credential.SkillID) error {
			if id == skill(1) { // the look takes its time; meanwhile another instance adopts the first
				time.Sleep(time.Minute)
				b.sinks["one"].Foreign(name(0), "theirs", sink.Owner{Instance: "staging", Skill: skill(0)})
			}
			return nil
		}
		s, r := b.sync(Options{})
		b.want(s, Refused, 1, Unchanged, 1)
		if res := r.of(skill(0), "one"); res.Reason != Foreign {
			t.Errorf("result %+v", res)
		}
		if got := len(b.trail.events(audit.WriteIntent)); got != 2 {
			t.Errorf("%d intents, want the two of the first run", got)
		}
	})
}

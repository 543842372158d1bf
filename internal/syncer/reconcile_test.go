package syncer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/sink"
)

// filed gives the bench a trail in a file, in which a writer that is dead has
// announced what intents say.
func (b *bench) filed(intents ...audit.Record) (path string) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "audit.jsonl")
	dead := b.openTrail(path)
	for _, r := range intents {
		if err := dead.Append(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	if err := dead.Close(); err != nil {
		b.Fatal(err)
	}
	b.engine.Trail = b.openTrail(path)
	return path
}

func (b *bench) openTrail(path string) *audit.Trail {
	b.Helper()
	trail, err := audit.Open(audit.Options{Host: "h", Files: []string{path}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = trail.Close() })
	return trail
}

func deadIntent(n int) audit.Record {
	return audit.Record{
		Event: audit.WriteIntent, Run: "dead", Job: "job", Trigger: "schedule", Skill: string(skill(n)), Sink: "one", Name: name(n),
		Action: audit.Update, PrevVersion: "1", Fingerprint: "f00",
	}
}

// A line is what a test looks at in a record.
type line struct {
	Event, Run, Job, Trigger, Skill, Sink, Name, Action, Outcome, Version, Fingerprint string
	PrevVersion                                                                        string `json:"prev_version"`
}

// reconciled returns what the trail at path says was reconciled.
func (b *bench) reconciled(path string) (found []line) {
	b.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := audit.Verify(bytes.NewReader(content), audit.VerifyOptions{}); err != nil {
		b.Error(err)
	}
	for in := bufio.NewScanner(bytes.NewReader(content)); in.Scan(); {
		var l line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			b.Fatal(err)
		}
		if l.Outcome == "reconciled" {
			found = append(found, l)
		}
	}
	return found
}

func TestTheNextRunConcludesWhatAStoppedOneAnnounced(t *testing.T) {
	for what, test := range map[string]struct {
		stand func(*bench) // what stands at the name
		want  func(*bench, *line)
	}{
		"nothing there": {func(*bench) {}, func(*bench, *line) {}},
		"ours": {
			func(b *bench) { b.sync(Options{}) },
			func(b *bench, l *line) {
				state, _ := b.sinks["one"].Inspect(b.Context(), name(0))
				l.Version, l.Fingerprint = "1", string(state.Fingerprint)
			},
		},
		"somebody else's": {
			func(b *bench) { b.sinks["one"].Foreign(name(0), "theirs", sink.Owner{}) },
			func(_ *bench, l *line) { l.Version = "1" },
		},
	} {
		t.Run(what, func(t *testing.T) {
			b := newBench(t, 1, "one")
			test.stand(b)
			path := b.filed(deadIntent(0))
			want := line{
				Event: "write.outcome", Run: "dead", Job: "job", Trigger: "schedule", Skill: string(skill(0)), Sink: "one", Name: name(0),
				Action: "update", PrevVersion: "1", Outcome: "reconciled",
			}
			test.want(b, &want)
			for range 2 { // once is enough
				b.sync(Options{Trigger: TriggerManual})
				if diff := cmp.Diff([]line{want}, b.reconciled(path)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	t.Run("an adoption", func(t *testing.T) {
		b := newBench(t, 1, "one")
		b.sync(Options{})
		r := deadIntent(0)
		r.Event, r.Action, r.Fingerprint = audit.Adopt, audit.AdoptSecret, ""
		path := b.filed(r)
		b.sync(Options{})
		if got := b.reconciled(path); len(got) != 1 || got[0].Event != "adopt" || got[0].Action != "adopt" || got[0].Version != "1" {
			t.Errorf("got %+v", got)
		}
	})
}

func TestWhatIsNotForThisRunStaysOpen(t *testing.T) {
	elsewhere, odd := deadIntent(1), deadIntent(2)
	elsewhere.Sink, odd.Name = "two", "../"+name(2)
	t.Run("a sink and a name of another job", func(t *testing.T) {
		b := newBench(t, 3, "one")
		asked := map[string]bool{}
		b.sinks["one"].Before = func(_ context.Context, _, name string) error { asked[name] = true; return nil }
		path := b.filed(elsewhere, odd, deadIntent(0))
		b.job.Workers = 1
		logged, logs := observer.New(zap.InfoLevel)
		b.engine.Log = zap.New(logged)
		b.sync(Options{})
		b.sync(Options{})
		if got := b.reconciled(path); len(got) != 1 || got[0].Name != name(0) || asked[odd.Name] {
			t.Errorf("got %+v; asked %v", got, asked)
		}
		if n := logs.FilterMessageSnippet("stays unconcluded").Len(); n != 2 {
			t.Errorf("%d log lines, want one for each", n)
		}
	})
	t.Run("a plan", func(t *testing.T) {
		b := newBench(t, 1, "one")
		path := b.filed(deadIntent(0))
		b.sync(Options{DryRun: true})
		if got := b.reconciled(path); got != nil {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("what the living announced", func(t *testing.T) {
		b := newBench(t, 1, "one")
		path := b.filed()
		living := b.openTrail(path)
		if err := living.Append(t.Context(), deadIntent(0)); err != nil {
			t.Fatal(err)
		}
		b.sync(Options{})
		if got := b.reconciled(path); got != nil {
			t.Errorf("got %+v", got)
		}
	})
}

func TestASinkThatIsDownIsReconciledLater(t *testing.T) {
	b := newBench(t, 3, "one", "two")
	logged, logs := observer.New(zap.WarnLevel)
	b.engine.Log = zap.New(logged)
	elsewhere := deadIntent(2)
	elsewhere.Sink = "two"
	path := b.filed(deadIntent(0), deadIntent(1), elsewhere)
	down := 0
	b.sinks["one"].Before = func(_ context.Context, method, _ string) error {
		if method == "Inspect" && down < 3 {
			down++
			return errDown
		}
		return nil
	}
	s, _ := b.sync(Options{})
	b.want(s, Created, 6)
	if got := b.reconciled(path); len(got) != 1 || got[0].Sink != "two" || down != 3 {
		t.Errorf("got %+v; asked %d times", got, down)
	}
	if n := logs.FilterMessageSnippet("concluded").Len(); n != 1 {
		t.Errorf("%d log lines", n)
	}
	b.sync(Options{})
	if got := b.reconciled(path); len(got) != 3 {
		t.Errorf("got %+v", got)
	}
}

func TestReconcilingDoesNotHoldUpARun(t *testing.T) {
	path := newBench(t, 0).filed(deadIntent(0))
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 1, "one")
		trail := b.openTrail(path)
		b.engine.Trail = trail
		var once sync.Once
		b.sinks["one"].Before = func(ctx context.Context, method, _ string) (err error) {
			if method == "Inspect" {
				once.Do(func() { <-ctx.Done(); err = ctx.Err() })
			}
			return err
		}
		start := time.Now()
		s, _ := b.sync(Options{})
		b.want(s, Created, 1)
		if took := time.Since(start); took > reconcileTime+time.Second {
			t.Errorf("took %v", took)
		}
		_ = trail.Close()
	})
}

package memory_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/memory"
	"github.com/credsync/credsync/internal/sink/sinktest"
)

func TestConformance(t *testing.T) { sinktest.Run(t, open) }

const maxBody = 4096

func open(*testing.T) sinktest.Harness {
	w := &weather{}
	s := &memory.Sink{MaxBody: maxBody, Before: w.before, After: w.after}
	edits := 0
	return sinktest.Harness{
		Sink: s,
		Form: s.Form(),
		Stored: func(_ *testing.T, name string) sinktest.Stored {
			body, versions, ok := s.Stored(name)
			return sinktest.Stored{Body: body, Versions: versions, Exists: ok}
		},
		Tamper: func(_ *testing.T, name string) {
			edits++
			s.Tamper(name, fmt.Sprintf("edit %d", edits))
		},
		Foreign: func(_ *testing.T, name, owner string) {
			o := sink.Owner{Instance: owner, Skill: "amzn1.ask.skill.theirs"}
			if owner == "" {
				o = sink.Owner{}
			}
			s.Foreign(name, "theirs", o)
		},
		Claim:      func(_ *testing.T, name string, owner sink.Owner) { s.Claim(name, owner) },
		SoftDelete: func(_ *testing.T, name string) { s.SoftDelete(name) },
		Fail:       func(_ *testing.T, f sinktest.Failure) { w.set(f) },
		MaxBody:    maxBody,
		Requests:   s.Requests,
	}
}

// weather is what the attempts of a sink meet.
type weather struct {
	mu sync.Mutex
	f  sinktest.Failure
}

func (w *weather) set(f sinktest.Failure) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.f = f
}

// strikes reports whether the failure meets this attempt, and counts it.
func (w *weather) strikes(method string, after bool) (sinktest.FailureKind, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	writes := method == "Put" || method == "Adopt"
	if w.f.Times == 0 || w.f.WritesOnly && !writes || (w.f.Kind == sinktest.LostAnswer) != after {
		return 0, false
	}
	if w.f.Times > 0 {
		w.f.Times--
	}
	return w.f.Kind, true
}

func (w *weather) before(ctx context.Context, method, _ string) error {
	kind, ok := w.strikes(method, false)
	if !ok {
		return nil
	}
	switch kind {
	case sinktest.Denied:
		return sink.ErrDenied
	case sinktest.Throttled:
		return sink.ErrRateLimited
	case sinktest.Hang:
		<-ctx.Done()
		return ctx.Err()
	default:
		return sink.ErrUnavailable
	}
}

func (w *weather) after(_ context.Context, method, _ string) error {
	if _, ok := w.strikes(method, true); ok {
		return sink.ErrUnavailable
	}
	return nil
}

func TestZeroValue(t *testing.T) {
	var s memory.Sink
	ctx := t.Context()
	prev, err := s.Inspect(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	owner := sink.Owner{Instance: "prod", Skill: "amzn1.ask.skill.1"}
	r, err := s.Form().Record(credential.FingerprintKey{}, owner, "a", []sink.Field{{Name: "k", Value: credential.NewSecret("v")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(ctx, "a", r, prev); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := s.Stored("a"); got != `{"k":"v"}` {
		t.Errorf("got %s stored", got)
	}
}

func TestWhatWasRemovedAndMadeAgainIsAnother(t *testing.T) {
	var s memory.Sink
	s.Foreign("a", "1", sink.Owner{})
	before, _ := s.Inspect(t.Context(), "a")
	s.Remove("a")
	s.Foreign("a", "1", sink.Owner{})
	after, _ := s.Inspect(t.Context(), "a")
	if before == after {
		t.Errorf("got the same State %+v for two secrets", after)
	}
}

func TestACopyOfAMarkSaysNothingAboutAnotherValue(t *testing.T) {
	var s memory.Sink
	owner := sink.Owner{Instance: "prod", Skill: "amzn1.ask.skill.1"}
	r, err := s.Form().Record(credential.FingerprintKey{}, owner, "a", []sink.Field{{Name: "k", Value: credential.NewSecret("v")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "a", r, sink.State{}); err != nil {
		t.Fatal(err)
	}
	s.Foreign("b", "theirs", sink.Owner{})
	s.CopyMark("a", "b")
	s.Remake("a", "theirs")
	for _, name := range []string{"a", "b"} {
		if got, err := s.Inspect(t.Context(), name); err != nil || got.Owner != owner || got.Version != "1" || got.Fingerprint != "" {
			t.Errorf("%s: got %+v, %v, want ours, version 1, altered", name, got, err)
		}
	}
}

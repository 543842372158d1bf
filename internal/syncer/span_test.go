package syncer

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/credsync/credsync/internal/source"
)

// A trace has a span for the run, below it one for each skill, and below that
// one for each call about it; what was held back for the brake is written below
// the run.
func TestSpansTellWhatWasCalledForWhom(t *testing.T) {
	b := newBench(t, 2, "one")
	spans := tracetest.NewSpanRecorder()
	b.engine.Tracer = sdk.NewTracerProvider(sdk.WithSpanProcessor(spans)).Tracer("")
	b.sync(Options{})
	want := map[string]int{"run": 1, "run/skill": 2, "run/skill/fetch": 2, "run/skill/inspect": 2, "run/skill/put": 2, "run/skill/verify": 2, "run/list": 1, "run/orphans": 1}
	if diff := cmp.Diff(want, paths(spans.Ended())); diff != "" {
		t.Errorf("a first run (-want +got):\n%s", diff)
	}
	spans.Reset()
	b.amazon.rotate(skill(0), "rotated")
	b.amazon.failing[skill(1)] = source.ErrDenied
	b.sync(Options{})
	for _, s := range spans.Ended() {
		want := sdk.Status{}
		if s.Name() == "fetch" && slices.Contains(s.Attributes(), attribute.String("credsync.skill", string(skill(1)))) {
			want = sdk.Status{Code: codes.Error, Description: "denied"}
		}
		if s.Status() != want {
			t.Errorf("%s %v: status %v, want %v", s.Name(), s.Attributes(), s.Status(), want)
		}
	}
	if n := paths(spans.Ended())["run/put"]; n != 1 {
		t.Errorf("%d writes below the run, want the update: %v", n, paths(spans.Ended()))
	}
}

// paths counts spans by their names and those of the spans above them.
func paths(spans []sdk.ReadOnlySpan) map[string]int {
	byID := make(map[string]sdk.ReadOnlySpan)
	for _, s := range spans {
		byID[s.SpanContext().SpanID().String()] = s
	}
	n := make(map[string]int)
	for _, s := range spans {
		path := s.Name()
		for up, ok := byID[s.Parent().SpanID().String()]; ok; up, ok = byID[up.Parent().SpanID().String()] {
			path = up.Name() + "/" + path
		}
		n[path]++
	}
	return n
}

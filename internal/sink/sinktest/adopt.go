package sinktest

import (
	"context"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/sink"
)

// The power to adopt: the mark moves, the value stays.

var adoptions = []testCase{
	{"to adopt a secret without a mark keeps its value and marks it ours", func(b *bench) { b.adopts("") }},
	{"to adopt another instance's secret keeps its value and marks it ours", func(b *bench) { b.adopts("staging") }},
	{"what was adopted is filled by the next put", func(b *bench) {
		a := b.adopter()
		b.h.Foreign(b.T, b.name(1), "")
		s, err := a.Adopt(b.Context(), b.name(1), owner(1), b.inspect(1))
		b.wantNoError("Adopt", err)
		r := b.record(1, "a")
		b.put(1, r, s)
		b.current(1, r)
	}},
	{"to adopt on an older look is refused", func(b *bench) {
		a := b.adopter()
		b.h.Foreign(b.T, b.name(1), "")
		old := b.inspect(1)
		b.h.Tamper(b.T, b.name(1))
		before := b.stored(1)
		_, err := a.Adopt(b.Context(), b.name(1), owner(1), old)
		b.wantError("Adopt", err, sink.ErrConflict)
		b.untouched(1, before)
		if s := b.inspect(1); !s.Owner.IsZero() {
			b.Errorf("got owner %+v, want none", s.Owner)
		}
	}},
	{"to adopt what isn't there is an error and creates nothing", func(b *bench) {
		a := b.adopter()
		_, err := a.Adopt(b.Context(), b.name(1), owner(1), b.inspect(1))
		b.redacted(err)
		if err == nil {
			b.Error("got no error")
		}
		b.untouched(1, Stored{})
		if s := b.inspect(1); s.Exists {
			b.Errorf("got %+v, want nothing there", s)
		}
	}},
	{"to adopt with a context that is over does nothing", func(b *bench) {
		a := b.adopter()
		b.h.Foreign(b.T, b.name(1), "")
		s := b.inspect(1)
		b.sendsNothing(context.Canceled, func(ctx context.Context) error {
			_, err := a.Adopt(ctx, b.name(1), owner(1), s)
			return err
		})
		if diff := cmp.Diff(s, b.inspect(1)); diff != "" {
			b.Errorf("State (-before +after):\n%s", diff)
		}
	}},
	{"to adopt what is denied says so", func(b *bench) {
		a := b.adopter()
		b.h.Foreign(b.T, b.name(1), "")
		s := b.inspect(1)
		b.fail(Failure{Kind: Denied, Times: -1, WritesOnly: true})
		_, err := a.Adopt(b.Context(), b.name(1), owner(1), s)
		b.wantError("Adopt", err, sink.ErrDenied)
	}},
}

func (b *bench) adopter() sink.Adopter {
	b.Helper()
	a, ok := b.h.Sink.(sink.Adopter)
	if !ok {
		b.Skip("the sink can't adopt")
	}
	return a
}

// adopts takes over a foreign secret under the mark of an instance, or none.
func (b *bench) adopts(from string) {
	b.Helper()
	a := b.adopter()
	b.h.Foreign(b.T, b.name(1), from)
	before := b.stored(1).Body
	got, err := a.Adopt(b.Context(), b.name(1), owner(1), b.inspect(1))
	b.wantNoError("Adopt", err)
	if after := b.stored(1).Body; after != before {
		b.Error("the value was changed")
	}
	if got.Owner != owner(1) || got.Fingerprint != "" || !got.Exists {
		b.Errorf("got %+v, want what exists, ours, of no known value", got)
	}
	if diff := cmp.Diff(b.inspect(1), got); diff != "" {
		b.Errorf("(-Inspect +Adopt):\n%s", diff)
	}
}

package sinktest

import (
	"github.com/credsync/credsync/internal/sink"
)

// What isn't ours is shown as it is and never touched.

var strangers = []testCase{
	{"a secret without a mark shows as foreign", func(b *bench) {
		b.h.Foreign(b.T, b.name(1), "")
		if s := b.inspect(1); !s.Exists || !s.Owner.IsZero() {
			b.Errorf("got %+v, want what exists and has no owner", s)
		}
	}},
	{"a create is refused where a secret without a mark appeared", func(b *bench) {
		absent := b.inspect(1)
		b.h.Foreign(b.T, b.name(1), "")
		b.refused(1, b.record(1, "a"), absent, sink.ErrConflict, sink.ErrForeign)
	}},
	{"a secret without a mark is not overwritten", func(b *bench) {
		b.h.Foreign(b.T, b.name(1), "")
		b.refused(1, b.record(1, "a"), b.inspect(1), sink.ErrConflict, sink.ErrForeign)
	}},
	{"the mark of another instance shows", func(b *bench) {
		b.h.Foreign(b.T, b.name(1), "staging")
		if s := b.inspect(1); !s.Exists || s.Owner.Instance != "staging" {
			b.Errorf("got %+v, want what exists and belongs to staging", s)
		}
	}},
	{"a create is refused where another instance came first", func(b *bench) {
		absent := b.inspect(1)
		b.h.Foreign(b.T, b.name(1), "staging")
		b.refused(1, b.record(1, "a"), absent, sink.ErrConflict, sink.ErrForeign)
	}},
	{"another instance's secret is not overwritten", func(b *bench) {
		b.h.Foreign(b.T, b.name(1), "staging")
		b.refused(1, b.record(1, "a"), b.inspect(1), sink.ErrConflict, sink.ErrForeign)
	}},
	{"an instance whose name begins like ours is another", func(b *bench) {
		b.h.Foreign(b.T, b.name(1), instance+"2")
		s := b.inspect(1)
		if s.Owner.Instance != instance+"2" {
			b.Errorf("got owner %+v, want instance %s2", s.Owner, instance)
		}
		b.refused(1, b.record(1, "a"), s, sink.ErrConflict, sink.ErrForeign)
	}},
	{"the mark of another skill shows, and its secret is not overwritten", func(b *bench) {
		other := b.recordAt(b.name(1), owner(2), secret("of another"))
		b.put(1, other, sink.State{})
		s := b.inspect(1)
		if s.Owner != owner(2) {
			b.Errorf("got owner %+v, want %+v", s.Owner, owner(2))
		}
		b.refused(1, b.record(1, "a"), s, sink.ErrConflict, sink.ErrForeign)
		b.refused(1, b.record(1, "a"), sink.State{}, sink.ErrConflict, sink.ErrForeign)
		b.holds(b.name(1), other)
	}},
}

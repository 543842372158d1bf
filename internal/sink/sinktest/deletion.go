package sinktest

import "github.com/credsync/credsync/internal/sink"

// Soft deletion: what is gone for readers and can be restored.

var deletions = []testCase{
	{"what is soft-deleted shows as deleted", func(b *bench) {
		b.create(1, "a")
		b.softDelete(1)
		if s := b.inspect(1); !s.Exists || !s.Deleted || s.Owner != owner(1) || s.Fingerprint != "" {
			b.Errorf("got %+v, want ours, deleted, without a fingerprint", s)
		}
	}},
	{"a put restores what is soft-deleted", func(b *bench) {
		b.create(1, "a")
		b.softDelete(1)
		r := b.record(1, "b")
		b.put(1, r, b.inspect(1))
		b.current(1, r)
	}},
	{"a put restores the same value too", func(b *bench) {
		r, _ := b.create(1, "a")
		b.softDelete(1)
		b.put(1, r, b.inspect(1))
		b.current(1, r)
	}},
	{"what was restored is updated and deleted as before", func(b *bench) {
		r, _ := b.create(1, "a")
		b.softDelete(1)
		s := b.put(1, r, b.inspect(1))
		r = b.record(1, "b")
		b.put(1, r, s)
		b.current(1, r)
		b.softDelete(1)
		if s := b.inspect(1); !s.Deleted {
			b.Errorf("got %+v, want it deleted", s)
		}
	}},
	{"a foreign secret that is soft-deleted stays so", func(b *bench) {
		b.h.Foreign(b.T, b.name(1), "")
		b.softDelete(1)
		s := b.inspect(1)
		if !s.Exists || !s.Deleted || !s.Owner.IsZero() {
			b.Errorf("got %+v, want foreign and deleted", s)
		}
		b.refused(1, b.record(1, "a"), s, sink.ErrConflict, sink.ErrForeign)
		b.refused(1, b.record(1, "a"), sink.State{}, sink.ErrConflict, sink.ErrForeign)
		if s := b.inspect(1); !s.Deleted {
			b.Errorf("got %+v, want it still deleted", s)
		}
	}},
	{"another instance's secret that is soft-deleted stays so", func(b *bench) {
		b.h.Foreign(b.T, b.name(1), "staging")
		b.softDelete(1)
		b.refused(1, b.record(1, "a"), b.inspect(1), sink.ErrConflict, sink.ErrForeign)
		if s := b.inspect(1); !s.Deleted {
			b.Errorf("got %+v, want it still deleted", s)
		}
	}},
}

func (b *bench) softDelete(n int) {
	b.Helper()
	if b.h.SoftDelete == nil {
		b.Skip("not proven: the harness has no SoftDelete")
	}
	b.h.SoftDelete(b.T, b.name(n))
}

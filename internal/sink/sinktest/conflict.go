package sinktest

import "github.com/credsync/credsync/internal/sink"

// What was decided on a state that is no more is not done, whoever came between.

var conflicts = []testCase{
	{"a value altered by hand shows as altered", func(b *bench) {
		b.create(1, "a")
		b.h.Tamper(b.T, b.name(1))
		s := b.inspect(1)
		if !s.Exists || s.Owner != owner(1) || s.Deleted {
			b.Errorf("got %+v, want a value that exists under our mark", s)
		}
		if s.Fingerprint != "" {
			b.Errorf("got fingerprint %s, want none", s.Fingerprint)
		}
	}},
	{"a repair brings back the value and its fingerprint", func(b *bench) {
		r, _ := b.create(1, "a")
		b.h.Tamper(b.T, b.name(1))
		b.put(1, r, b.inspect(1))
		b.current(1, r)
	}},
	{"a repair may bring another value", func(b *bench) {
		b.create(1, "a")
		b.h.Tamper(b.T, b.name(1))
		r := b.record(1, "b")
		b.put(1, r, b.inspect(1))
		b.current(1, r)
	}},
	{"what was repaired is altered again by the next hand", func(b *bench) {
		r, _ := b.create(1, "a")
		b.h.Tamper(b.T, b.name(1))
		b.put(1, r, b.inspect(1))
		b.h.Tamper(b.T, b.name(1))
		if s := b.inspect(1); s.Fingerprint != "" {
			b.Errorf("got fingerprint %s, want none", s.Fingerprint)
		}
	}},
	{"an update decided on an older version is refused", func(b *bench) {
		_, old := b.create(1, "a")
		b.put(1, b.record(1, "b"), old)
		b.refused(1, b.record(1, "c"), old, sink.ErrConflict)
	}},
	{"an update decided before a hand edit is refused", func(b *bench) {
		_, s := b.create(1, "a")
		b.h.Tamper(b.T, b.name(1))
		b.refused(1, b.record(1, "b"), s, sink.ErrConflict)
	}},
	{"a repair decided before another hand edit is refused", func(b *bench) {
		r, _ := b.create(1, "a")
		b.h.Tamper(b.T, b.name(1))
		s := b.inspect(1)
		b.h.Tamper(b.T, b.name(1))
		b.refused(1, r, s, sink.ErrConflict)
	}},
	{"a repair decided before somebody's repair is refused", func(b *bench) {
		r, _ := b.create(1, "a")
		b.h.Tamper(b.T, b.name(1))
		s := b.inspect(1)
		b.put(1, r, s)
		b.refused(1, b.record(1, "b"), s, sink.ErrConflict)
	}},
	{"a create is refused where ours appeared", func(b *bench) {
		absent := b.inspect(1)
		b.put(1, b.record(1, "a"), absent)
		b.refused(1, b.record(1, "b"), absent, sink.ErrConflict)
	}},
	{"an update of what never was is refused", func(b *bench) {
		_, s := b.create(2, "a")
		b.refused(1, b.record(1, "a"), s, sink.ErrConflict)
	}},
	{"who lost looks again and wins", func(b *bench) {
		_, old := b.create(1, "a")
		b.put(1, b.record(1, "b"), old)
		r := b.record(1, "c")
		b.refused(1, r, old, sink.ErrConflict)
		b.put(1, r, b.inspect(1))
		b.current(1, r)
	}},
	{"a name claimed and never filled shows its owner alone", func(b *bench) {
		b.claim(1)
		s := b.inspect(1)
		if s.Exists || s.Owner != owner(1) || s.Fingerprint != "" {
			b.Errorf("got %+v, want our mark and nothing else", s)
		}
	}},
	{"a name claimed and never filled is filled", func(b *bench) {
		b.claim(1)
		r := b.record(1, "a")
		b.put(1, r, b.inspect(1))
		b.current(1, r)
		if got := b.stored(1).Versions; got != 1 {
			b.Errorf("got %d versions, want 1", got)
		}
	}},
	{"a fill is refused where somebody filled it", func(b *bench) {
		b.claim(1)
		claimed := b.inspect(1)
		b.put(1, b.record(1, "a"), claimed)
		b.refused(1, b.record(1, "b"), claimed, sink.ErrConflict)
	}},
}

func (b *bench) claim(n int) {
	b.Helper()
	if b.h.Claim == nil {
		b.Skip("not proven: the harness has no Claim")
	}
	b.h.Claim(b.T, b.name(n), owner(n))
}

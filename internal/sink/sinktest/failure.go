package sinktest

import (
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/sink"
)

// A failure has its sentinel, changes nothing, and is never taken for an
// absence.

var failures = slices.Concat(
	failing(Denied, sink.ErrDenied),
	failing(Throttled, sink.ErrRateLimited),
	failing(Unavailable, sink.ErrUnavailable),
	failing(Garbage, sink.ErrUnavailable),
	[]testCase{
		{"one failure that is transient is met by another attempt", func(b *bench) {
			r, s := b.create(1, "a")
			b.fail(Failure{Kind: Unavailable, Times: 1})
			if diff := cmp.Diff(s, b.inspect(1)); diff != "" {
				b.Errorf("Inspect (-want +got):\n%s", diff)
			}
			b.heal()
			b.current(1, r)
		}},
		{"a throttled attempt is met by another one", func(b *bench) {
			_, s := b.create(1, "a")
			b.fail(Failure{Kind: Throttled, Times: 1})
			r := b.record(1, "b")
			b.put(1, r, s)
			b.heal()
			b.current(1, r)
		}},
		{"Inspect asks a dead backend three times at most", func(b *bench) {
			b.create(1, "a")
			b.atMost(3, Failure{Kind: Unavailable, Times: -1}, func() error {
				_, err := b.h.Sink.Inspect(b.Context(), b.name(1))
				return err
			})
		}},
		// A Put may look once more after a write that failed: two operations.
		{"Put asks a dead backend three times an operation at most", func(b *bench) {
			_, s := b.create(1, "a")
			r := b.record(1, "b")
			b.atMost(6, Failure{Kind: Unavailable, Times: -1}, func() error {
				_, err := b.h.Sink.Put(b.Context(), b.name(1), r, s)
				return err
			})
		}},
		{"a refusal is not asked for twice", func(b *bench) {
			b.create(1, "a")
			b.atMost(2, Failure{Kind: Denied, Times: -1}, func() error {
				_, err := b.h.Sink.Inspect(b.Context(), b.name(1))
				return err
			})
		}},
		{"what failed works again once the backend does", func(b *bench) {
			b.fail(Failure{Kind: Unavailable, Times: -1})
			r := b.record(1, "a")
			b.refused(1, r, sink.State{}, sink.ErrUnavailable)
			b.heal()
			b.put(1, r, b.inspect(1))
			b.current(1, r)
		}},
	},
)

// failing returns the cases of one kind of failure, whose sentinel is want.
func failing(kind FailureKind, want error) []testCase {
	all := Failure{Kind: kind, Times: -1}
	writes := Failure{Kind: kind, Times: -1, WritesOnly: true}
	return []testCase{
		{fmt.Sprintf("%s: Inspect says so", kind), func(b *bench) {
			r, _ := b.create(1, "a")
			b.fail(all)
			for _, n := range []int{1, 2} {
				s, err := b.h.Sink.Inspect(b.Context(), b.name(n))
				b.wantError("Inspect", err, want)
				if diff := cmp.Diff(sink.State{}, s); diff != "" {
					b.Errorf("a State beside an error (-want +got):\n%s", diff)
				}
			}
			b.heal()
			b.current(1, r)
		}},
		{fmt.Sprintf("%s: create says so and changes nothing", kind), func(b *bench) { b.failCreate(all, want) }},
		{fmt.Sprintf("%s: update says so and changes nothing", kind), func(b *bench) { b.failUpdate(all, want) }},
		{fmt.Sprintf("%s for writes: create says so and changes nothing", kind), func(b *bench) { b.failCreate(writes, want) }},
		{fmt.Sprintf("%s for writes: update says so and changes nothing", kind), func(b *bench) { b.failUpdate(writes, want) }},
	}
}

func (b *bench) failCreate(f Failure, want error) {
	b.Helper()
	absent := b.inspect(1)
	b.fail(f)
	b.refused(1, b.record(1, "a"), absent, want)
	b.heal()
	if s := b.inspect(1); s.Exists {
		b.Errorf("got %+v, want nothing there", s)
	}
	r := b.record(1, "a")
	b.put(1, r, b.inspect(1))
	b.current(1, r)
}

func (b *bench) failUpdate(f Failure, want error) {
	b.Helper()
	old, s := b.create(1, "a")
	b.fail(f)
	r := b.record(1, "b")
	b.refused(1, r, s, want)
	b.heal()
	b.current(1, old)
	b.put(1, r, b.inspect(1))
	b.current(1, r)
}

// atMost wants operation to fail after no more than limit requests.
func (b *bench) atMost(limit int, f Failure, operation func() error) {
	b.Helper()
	if b.h.Requests == nil {
		b.Skip("not proven: the harness has no Requests")
	}
	b.fail(f)
	before := b.h.Requests()
	err := operation()
	b.redacted(err)
	if err == nil {
		b.Error("got no error")
	}
	if got := b.h.Requests() - before; got > limit {
		b.Errorf("got %d requests, want %d at most", got, limit)
	}
}

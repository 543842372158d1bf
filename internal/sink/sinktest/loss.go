package sinktest

import (
	"fmt"
	"slices"

	"github.com/credsync/credsync/internal/sink"
)

// The answers to writes get lost: whatever Put makes of that, looking and
// putting again ends with the value in place, at the price of one version more
// at most.

var losses = slices.Concat(losing(1), losing(2), losing(3), losing(-1))

// losing returns the cases in which the answers to so many writes are lost.
func losing(times int) []testCase {
	count := fmt.Sprintf("%d answers lost", times)
	if times < 0 {
		count = "every answer lost"
	}
	return []testCase{
		{count + ": a create converges", func(b *bench) {
			b.converges(b.record(1, "a"), times, 2)
		}},
		{count + ": an update converges", func(b *bench) {
			b.create(1, "a")
			b.converges(b.record(1, "b"), times, 3)
		}},
		{count + ": a repair converges", func(b *bench) {
			r, _ := b.create(1, "a")
			b.h.Tamper(b.T, b.name(1))
			b.converges(r, times, 4)
		}},
		{count + ": a restore converges", func(b *bench) {
			r, _ := b.create(1, "a")
			b.softDelete(1)
			b.converges(r, times, 3)
		}},
	}
}

// converges puts r while the answers to writes are lost, heals the backend and
// goes on as the engine does, until r stands there. It wants no more than
// versions in the end.
func (b *bench) converges(r sink.Record, times, versions int) {
	b.Helper()
	prev := b.inspect(1)
	b.fail(Failure{Kind: LostAnswer, Times: times, WritesOnly: true})
	_, err := b.h.Sink.Put(b.Context(), b.name(1), r, prev)
	b.redacted(err)
	b.heal()
	for range 3 { // claimed, filled, confirmed: one round each at the worst
		if s := b.inspect(1); s.Fingerprint == r.Fingerprint {
			break
		}
		_, err = b.h.Sink.Put(b.Context(), b.name(1), r, b.inspect(1))
		b.redacted(err)
	}
	b.current(1, r)
	if err != nil && b.inspect(1).Fingerprint != r.Fingerprint {
		b.Errorf("the last Put: %v", err)
	}
	if got := b.stored(1).Versions; got > versions {
		b.Errorf("got %d versions, want %d at most", got, versions)
	}
}

package sinktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/credsync/credsync/internal/sink"
)

// A context that ended ends the call, and one that is over sends nothing.

// soon is how long a call may go on after its context ended: generous for slow
// machines, and far below any timeout of a wire.
const soon = 5 * time.Second

var contexts = slices.Concat(
	ending(context.Canceled),
	ending(context.DeadlineExceeded),
)

// ending returns the cases of a context that ends by cause.
func ending(cause error) []testCase {
	return []testCase{
		{fmt.Sprintf("%v before Inspect: nothing is sent", cause), func(b *bench) {
			b.create(1, "a")
			b.sendsNothing(cause, func(ctx context.Context) error {
				_, err := b.h.Sink.Inspect(ctx, b.name(1))
				return err
			})
		}},
		{fmt.Sprintf("%v before a create: nothing is sent", cause), func(b *bench) {
			r, absent := b.record(1, "a"), b.inspect(1)
			b.sendsNothing(cause, func(ctx context.Context) error {
				_, err := b.h.Sink.Put(ctx, b.name(1), r, absent)
				return err
			})
			b.untouched(1, Stored{})
		}},
		{fmt.Sprintf("%v before an update: nothing is sent", cause), func(b *bench) {
			old, s := b.create(1, "a")
			r := b.record(1, "b")
			b.sendsNothing(cause, func(ctx context.Context) error {
				_, err := b.h.Sink.Put(ctx, b.name(1), r, s)
				return err
			})
			b.current(1, old)
		}},
		{fmt.Sprintf("%v while Inspect hangs: it returns soon", cause), func(b *bench) {
			b.create(1, "a")
			b.returnsSoon(cause, func(ctx context.Context) error {
				_, err := b.h.Sink.Inspect(ctx, b.name(1))
				return err
			})
		}},
		{fmt.Sprintf("%v while a create hangs: it returns soon", cause), func(b *bench) {
			r := b.record(1, "a")
			b.returnsSoon(cause, func(ctx context.Context) error {
				_, err := b.h.Sink.Put(ctx, b.name(1), r, sink.State{})
				return err
			})
			b.put(1, r, b.inspect(1))
			b.current(1, r)
		}},
		{fmt.Sprintf("%v while an update hangs: it returns soon", cause), func(b *bench) {
			_, s := b.create(1, "a")
			r := b.record(1, "b")
			b.returnsSoon(cause, func(ctx context.Context) error {
				_, err := b.h.Sink.Put(ctx, b.name(1), r, s)
				return err
			})
			b.put(1, r, b.inspect(1))
			b.current(1, r)
		}},
	}
}

func (b *bench) sendsNothing(cause error, call func(context.Context) error) {
	b.Helper()
	before := 0
	if b.h.Requests != nil {
		before = b.h.Requests()
	}
	b.wantError("the call", call(b.over(cause)), cause)
	if b.h.Requests == nil {
		return
	}
	if got := b.h.Requests() - before; got != 0 {
		b.Errorf("got %d requests, want none", got)
	}
}

// returnsSoon calls into a backend that hangs, with a context that ends by
// cause in a moment.
func (b *bench) returnsSoon(cause error, call func(context.Context) error) {
	b.Helper()
	b.fail(Failure{Kind: Hang, Times: -1})
	const moment = 100 * time.Millisecond
	ctx, cancel := context.WithCancel(b.Context())
	if errors.Is(cause, context.DeadlineExceeded) {
		ctx, cancel = context.WithTimeout(b.Context(), moment)
	} else {
		time.AfterFunc(moment, cancel)
	}
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- call(ctx) }()
	select {
	case err := <-done:
		b.heal()
		b.wantError("the call", err, cause)
	case <-time.After(moment + soon): // the goroutine is lost with the test
		b.Fatalf("it goes on %v after the context had ended", soon)
	}
}

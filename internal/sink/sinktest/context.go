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
	var cases []testCase
	for _, c := range []struct {
		what   string
		stands bool // something is there before the call
		call   func(ctx context.Context, b *bench, r sink.Record, prev sink.State) error
	}{
		{"Inspect", true, func(ctx context.Context, b *bench, _ sink.Record, _ sink.State) error {
			_, err := b.h.Sink.Inspect(ctx, b.name(1))
			return err
		}},
		{"a create", false, putOnce},
		{"an update", true, putOnce},
	} {
		prepare := func(b *bench) (sink.Record, func(context.Context) error) {
			if c.stands {
				b.create(1, "a")
			}
			r, prev := b.record(1, "b"), b.inspect(1)
			return r, func(ctx context.Context) error { return c.call(ctx, b, r, prev) }
		}
		cases = append(cases, testCase{fmt.Sprintf("%v before %s: nothing is sent", cause, c.what), func(b *bench) {
			_, call := prepare(b)
			before := b.stored(1)
			b.sendsNothing(cause, call)
			b.untouched(1, before)
		}}, testCase{fmt.Sprintf("%v while %s hangs: it returns soon", cause, c.what), func(b *bench) {
			r, call := prepare(b)
			b.returnsSoon(cause, call)
			b.put(1, r, b.inspect(1))
			b.current(1, r)
		}})
	}
	return cases
}

func putOnce(ctx context.Context, b *bench, r sink.Record, prev sink.State) error {
	_, err := b.h.Sink.Put(ctx, b.name(1), r, prev)
	return err
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

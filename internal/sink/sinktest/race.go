package sinktest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/credsync/credsync/internal/sink"
)

// Many callers at once, and one winner where they want the same.

const callers = 16

var races = []testCase{
	{"sixteen callers create sixteen names", func(b *bench) {
		records := make([]sink.Record, callers)
		for n := range callers {
			records[n] = b.record(n, fmt.Sprint(n))
		}
		b.together(func(n int) error {
			s, err := b.h.Sink.Inspect(b.Context(), b.name(n))
			if err != nil {
				return err
			}
			_, err = b.h.Sink.Put(b.Context(), b.name(n), records[n], s)
			return err
		}, func(n int, err error) {
			if err != nil {
				b.Errorf("caller %d: %v", n, err)
			}
		})
		for n := range callers {
			b.current(n, records[n])
		}
	}},
	{"of sixteen who create one name, one wins and the others conflict", func(b *bench) {
		b.oneWins(b.inspect(1))
	}},
	{"of sixteen who update one name, one wins and the others conflict", func(b *bench) {
		_, s := b.create(1, "a")
		b.oneWins(s)
	}},
	{"of sixteen who repair one name, one wins and the others conflict", func(b *bench) {
		b.create(1, "a")
		b.h.Tamper(b.T, b.name(1))
		b.oneWins(b.inspect(1))
	}},
	{"sixteen who look and put until they win all win in turn", func(b *bench) {
		records := make([]sink.Record, callers)
		for n := range callers {
			records[n] = b.record(1, fmt.Sprint(n))
		}
		b.together(func(n int) error {
			for range 10 * callers {
				s, err := b.h.Sink.Inspect(b.Context(), b.name(1))
				if err != nil {
					return err
				}
				if _, err = b.h.Sink.Put(b.Context(), b.name(1), records[n], s); !errors.Is(err, sink.ErrConflict) {
					return err
				}
			}
			return nil // starved: the others did win
		}, func(n int, err error) {
			if err != nil {
				b.Errorf("caller %d: %v", n, err)
			}
		})
		last := b.inspect(1)
		if b.h.LateMarks && last.Exists && last.Fingerprint == "" {
			last = b.put(1, records[0], last)
		}
		for _, r := range records {
			if r.Fingerprint == last.Fingerprint {
				b.current(1, r)
				return
			}
		}
		b.Errorf("got %+v, want the fingerprint of one of the callers", last)
	}},
}

// oneWins lets many callers put values of their own at the first name, all
// decided on prev.
func (b *bench) oneWins(prev sink.State) {
	b.Helper()
	records := make([]sink.Record, callers)
	for n := range callers {
		records[n] = b.record(1, fmt.Sprint(n))
	}
	var winners []sink.Record
	b.together(func(n int) error {
		_, err := b.h.Sink.Put(b.Context(), b.name(1), records[n], prev)
		return err
	}, func(n int, err error) {
		switch {
		case err == nil:
			winners = append(winners, records[n])
		case !errors.Is(err, sink.ErrConflict):
			b.Errorf("caller %d: got error %v, want %v", n, err, sink.ErrConflict)
		}
	})
	if len(winners) != 1 {
		b.Fatalf("got %d winners, want 1", len(winners))
	}
	b.current(1, winners[0])
}

// together runs call from many goroutines at once and hands what they returned
// to check, one by one.
func (b *bench) together(call func(n int) error, check func(n int, err error)) {
	b.Helper()
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for n := range callers {
		wg.Go(func() { errs[n] = call(n) })
	}
	wg.Wait()
	for n, err := range errs {
		b.redacted(err)
		check(n, err)
	}
}

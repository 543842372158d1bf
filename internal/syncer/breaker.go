package syncer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	breakerFailures = 20               // this many in a row without a usable answer
	breakerPause    = 30 * time.Second // and a peer is left in peace for so long
)

// A breaker spares a peer that is down, and the run the time to find it out
// anew for each skill. One breaker serves one peer in one run. Only failures of
// the kind down count; any other answer shows that the peer lives.
type breaker struct {
	peer string
	down error

	mu       sync.Mutex
	failures int
	until    time.Time // when the next caller may try whether the peer is back
}

// do calls f unless the peer is known to be down. The end of a context says
// nothing about the peer.
func (b *breaker) do(f func() error) error {
	if err := b.check(); err != nil {
		return err
	}
	err := f()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
	case errors.Is(err, b.down):
		if b.failures++; b.failures >= breakerFailures {
			b.until = time.Now().Add(breakerPause)
		}
	default:
		b.failures = 0
	}
	return err
}

func (b *breaker) check() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakerFailures {
		return nil
	}
	if now := time.Now(); now.After(b.until) {
		b.until = now.Add(breakerPause)
		return nil // this caller finds out whether the peer is back
	}
	return fmt.Errorf("%s: not asked, after %d failures in a row: %w", b.peer, b.failures, b.down)
}

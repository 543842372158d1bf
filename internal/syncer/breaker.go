package syncer

import (
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
	until    time.Time
}

// do calls f unless the peer is known to be down.
func (b *breaker) do(f func() error) error {
	if err := b.check(); err != nil {
		return err
	}
	err := f()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !errors.Is(err, b.down) {
		b.failures = 0
		return err
	}
	if b.failures++; b.failures >= breakerFailures {
		b.until = time.Now().Add(breakerPause)
	}
	return err
}

func (b *breaker) check() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakerFailures || time.Now().After(b.until) {
		return nil
	}
	return fmt.Errorf("%s: not asked, after %d failures in a row: %w", b.peer, b.failures, b.down)
}

package main

import (
	"maps"
	"sync"
	"time"

	"github.com/credsync/credsync/internal/wire"
)

// A counter counts requests by the kind of peer; its observe method is a
// wire.Observer.
type counter struct {
	also wire.Observer // hears of each too; set before the first

	mu sync.Mutex
	n  map[string]int
}

func (c *counter) observe(target, operation string, status int, took time.Duration) {
	c.also.Observe(target, operation, status, took)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = make(map[string]int)
	}
	c.n[target]++
}

// since returns what was counted since before, which now returned earlier.
func (c *counter) since(before map[string]int) map[string]int {
	now := c.now()
	for k, v := range before {
		if now[k] -= v; now[k] == 0 {
			delete(now, k)
		}
	}
	return now
}

func (c *counter) now() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		return map[string]int{}
	}
	return maps.Clone(c.n)
}

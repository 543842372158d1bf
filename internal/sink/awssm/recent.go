package awssm

import (
	"maps"
	"sync"
	"time"
)

// lag is how long after a write AWS's listing is not believed: twice the five
// minutes that AWS states (AWS: ListSecrets API reference).
const lag = 10 * time.Minute

// A recent remembers the names that were written within the last [lag]. The
// zero recent is empty and ready to use, by many goroutines at once.
type recent struct {
	mu      sync.Mutex
	written map[string]time.Time
}

func (r *recent) add(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.written == nil {
		r.written = make(map[string]time.Time)
	}
	r.written[name] = time.Now()
}

func (r *recent) has(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.written[name]
	return ok && time.Since(at) < lag
}

// prune forgets what is not recent any more.
func (r *recent) prune() {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.written, func(_ string, at time.Time) bool { return time.Since(at) >= lag })
}

package syncer

import (
	"sync"
	"time"
)

// A place is one name in one sink.
type place struct{ sink, name string }

// maxRepairs is how many runs running a name is repaired before it is left
// alone: somebody else keeps writing there, and versions without end help
// nobody.
const maxRepairs = 3

// A Memory is what a daemon remembers from run to run; a one-shot command starts
// with none. Nothing in it decides what is right, only what is left alone and
// whether a listing may be trusted. The zero Memory is ready to use.
type Memory struct {
	mu      sync.Mutex
	repairs map[place]int
	ended   map[string]time.Time // per job
}

// fought reports whether name was repaired in as many runs running as allowed.
func (m *Memory) fought(p place) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.repairs[p] >= maxRepairs
}

// repaired notes that a run had to repair p.
func (m *Memory) repaired(p place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.repairs == nil {
		m.repairs = make(map[place]int)
	}
	m.repairs[p]++
}

// calm notes that a run found p as it should be, or changed at the source.
func (m *Memory) calm(p place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.repairs, p)
}

// finished notes that a run of job ended now.
func (m *Memory) finished(job string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended == nil {
		m.ended = make(map[string]time.Time)
	}
	m.ended[job] = time.Now()
}

// recent reports whether a run of job ended less than d ago.
func (m *Memory) recent(job string, d time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	end, ok := m.ended[job]
	return ok && time.Since(end) < d
}

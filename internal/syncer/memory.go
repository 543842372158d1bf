package syncer

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/credsync/credsync/internal/credential"
)

// A place is one name in one sink.
type place struct{ sink, name string }

// maxRepairs is how many runs running a name is repaired before it is left
// alone: somebody else keeps writing there, and versions without end help
// nobody.
const maxRepairs = 3

// A Memory is what a daemon remembers from run to run; a one-shot command starts
// with none. Nothing in it decides what is right, only what is left alone, what
// the brake counts, and whether a listing may be trusted. The zero Memory is
// ready to use.
type Memory struct {
	mu     sync.Mutex
	seed   maphash.Seed
	fights map[uint64]fight     // by the hash of the contest, since a run may write all names there are
	sinks  map[place]*history   // by job and sink
	ended  map[string]time.Time // by job
	said   map[place]bool       // announced writes that nobody concludes
}

// A contest is a name that a job may have to repair.
type contest struct {
	job string
	at  place
}

// A fight is how often a value was written again, in as many runs, that
// somebody else had replaced: by hand, or as another credsync under our name
// that is configured to store another.
type fight struct {
	want    uint64 // hash of the value's fingerprint
	repairs int8
}

// fought reports whether the value was repaired in as many runs as allowed. A
// value that changed at the source starts a new count.
func (m *Memory) fought(c contest, want credential.Fingerprint) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, sum := m.hashes(c, want)
	f := m.fights[at]
	return f.want == sum && f.repairs >= maxRepairs
}

// hashes returns those of a contest and of a fingerprint.
func (m *Memory) hashes(c contest, want credential.Fingerprint) (at, sum uint64) {
	if m.fights == nil {
		m.fights, m.seed = make(map[uint64]fight), maphash.MakeSeed()
	}
	return maphash.Comparable(m.seed, c), maphash.String(m.seed, string(want))
}

// wrote notes that a run updated or repaired what stands at c.
func (m *Memory) wrote(c contest, want credential.Fingerprint, repair bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, sum := m.hashes(c, want)
	f := m.fights[at]
	again := f.want == sum
	if !again {
		f = fight{want: sum}
	}
	if (again || repair) && f.repairs < maxRepairs {
		f.repairs++
	}
	m.fights[at] = f
}

// calm notes that a run found c as it should be, or empty.
func (m *Memory) calm(c contest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, _ := m.hashes(c, "")
	delete(m.fights, at)
}

// A history is what the brake knows of one job in one sink.
type history struct {
	owned   int         // names found ours by the last look at the whole list
	updates []time.Time // of the last brakeWindow
}

func (m *Memory) history(at place) *history {
	if m.sinks == nil {
		m.sinks = make(map[place]*history)
	}
	if m.sinks[at] == nil {
		m.sinks[at] = &history{}
	}
	return m.sinks[at]
}

// owns notes how many names a look at the whole list found ours.
func (m *Memory) owns(at place, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.history(at).owned = n
}

// updated notes that a name was updated now.
func (m *Memory) updated(at place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.history(at)
	h.updates = append(h.updates, time.Now())
}

// recall returns the number of names that the last whole look found ours, and
// that of updates within the window.
func (m *Memory) recall(at place) (owned, updates int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.history(at)
	h.updates = slices.DeleteFunc(h.updates, func(t time.Time) bool { return time.Since(t) > brakeWindow })
	return h.owned, len(h.updates)
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

// first reports whether it was not said yet that what was announced for at stays
// unconcluded.
func (m *Memory) first(at place) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.said == nil {
		m.said = make(map[place]bool)
	}
	said := m.said[at]
	m.said[at] = true
	return !said
}

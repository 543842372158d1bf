package audit

import (
	"hash/fnv"
	"sync"
)

// appending is the byte of a file that is locked while appending. Those behind
// it belong to runs that are alive, and to intents that are being concluded.
const appending = int64(1) << 62

// byteOf returns the byte that stands for what in the locks of a file.
func byteOf(what []byte) int64 {
	h := fnv.New64a()
	_, _ = h.Write(what)
	return appending + 1 + int64(h.Sum64()>>3)
}

// Runs are those that have announced something and are not over. Each file
// shows them to other processes by a lock on a byte for each, which ends with
// the process, however that ends.
type runs struct {
	mu   sync.Mutex
	live map[string]bool
}

// note takes notice of a record that is about to be appended.
func (r *runs) note(record Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case record.Event == RunFinish:
		delete(r.live, record.Run)
	case record.announces():
		if r.live == nil {
			r.live = make(map[string]bool)
		}
		r.live[record.Run] = true
	}
}

// beyond returns the runs that are alive and not in held, and those in held
// that are over.
func (r *runs) beyond(held map[string]bool) (begun, over []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for run := range r.live {
		if !held[run] {
			begun = append(begun, run)
		}
	}
	for run := range held {
		if !r.live[run] {
			over = append(over, run)
		}
	}
	return begun, over
}

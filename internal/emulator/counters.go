package emulator

import (
	"maps"
	"slices"
	"time"

	"github.com/credsync/credsync/internal/credential"
)

// maxLog bounds the requests that are kept one by one.
const maxLog = 10_000

// A Request is one that came in.
type Request struct {
	Time      time.Time          `json:"time"`
	Operation Operation          `json:"operation"`
	Skill     credential.SkillID `json:"skill,omitempty"`
	Status    int                `json:"status"` // 0 where a fault kept the answer back
}

// Requests is what came in since the start or the last ResetRequests. A request
// counts from the moment its answer is decided, before it is sent.
type Requests struct {
	Total         int                       `json:"total"`
	ByOperation   map[Operation]map[int]int `json:"by_operation"`   // requests by status
	MaxConcurrent int                       `json:"max_concurrent"` // most requests in work at one time
	Last          []Request                 `json:"last,omitempty"` // the last 5,000 at least, oldest first
}

// Count returns how many requests asked for op and were answered with one of
// these statuses, or with any where none is named.
func (r Requests) Count(op Operation, statuses ...int) int {
	n := 0
	for status, times := range r.ByOperation[op] {
		if len(statuses) == 0 || slices.Contains(statuses, status) {
			n += times
		}
	}
	return n
}

// counters counts. Its zero value is ready.
type counters struct {
	Requests
	inWork int
	serial int // of all requests ever
}

func (c *counters) next() int {
	c.serial++
	return c.serial
}

func (c *counters) enter(r Request) {
	c.inWork++
	c.MaxConcurrent = max(c.MaxConcurrent, c.inWork)
	c.Total++
	if c.ByOperation == nil {
		c.ByOperation = make(map[Operation]map[int]int)
	}
	if c.ByOperation[r.Operation] == nil {
		c.ByOperation[r.Operation] = make(map[int]int)
	}
	c.ByOperation[r.Operation][r.Status]++
	if len(c.Last) == maxLog {
		c.Last = slices.Delete(c.Last, 0, maxLog/2)
	}
	c.Last = append(c.Last, r)
}

func (c *counters) leave() { c.inWork-- }

// Requests returns what came in so far.
func (a *Amazon) Requests() Requests {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.counts.Requests
	r.Last = slices.Clone(r.Last)
	r.ByOperation = make(map[Operation]map[int]int, len(a.counts.ByOperation))
	for op, statuses := range a.counts.ByOperation {
		r.ByOperation[op] = maps.Clone(statuses)
	}
	return r
}

// ResetRequests starts counting anew. Requests in work go on counting towards
// MaxConcurrent.
func (a *Amazon) ResetRequests() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts.Requests = Requests{MaxConcurrent: a.counts.inWork}
}

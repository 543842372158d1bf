package main

import (
	"maps"
	"os"
	"runtime/debug"
	"sync"

	"github.com/credsync/credsync/internal/syncer"
)

// What a run may hold, in bytes: the program itself, and for each skill in a sink
// its line of the list and the update that may wait for the brake; a listing of
// AWS comes on top.
const (
	baseBudget    = 17 << 20 // the binary's own pages come on top, as much again
	resultBudget  = 600
	listingBudget = 300
)

// From longList results on, less garbage is let grow beside what is in use.
const (
	longList    = 50_000
	longPercent = 35 // of what is in use; GOGC overrules it
)

// A budget keeps the runtime from letting garbage grow to the size of what is in
// use, as it does by itself, where a list is so long that this matters. It is a
// soft limit, and GOMEMLIMIT overrules it.
type budget struct {
	mu        sync.Mutex
	perResult map[string]int // by job
	due       map[string]int // by job: what its last pass may hold
}

// budget returns that of all jobs of s.
func (s *setup) budget() *budget {
	b := &budget{due: make(map[string]int)}
	b.follow(s)
	return b
}

// follow makes b that of all jobs of s.
func (b *budget) follow(s *setup) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.perResult = make(map[string]int)
	for name, job := range s.cfg.Jobs {
		b.perResult[name] = resultBudget
		for _, sink := range job.Sinks {
			if s.cfg.Sinks[sink].AWS != nil {
				b.perResult[name] = resultBudget + listingBudget
			}
		}
	}
	maps.DeleteFunc(b.due, func(job string, _ int) bool { return b.perResult[job] == 0 })
}

// Start makes room for a pass of job.
func (b *budget) Start(job string, results int) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.due[job] = results * b.perResult[job]
	limit := baseBudget
	for _, bytes := range b.due {
		limit += bytes
	}
	debug.SetMemoryLimit(int64(limit))
	if results >= longList && os.Getenv("GOGC") == "" {
		debug.SetGCPercent(longPercent)
	}
}

func (*budget) Result(syncer.Result) {}

func (*budget) Finish(syncer.Summary, map[string]int) error { return nil }

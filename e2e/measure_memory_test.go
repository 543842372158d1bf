package e2e

import (
	"fmt"
	"os"
	"slices"
	"testing"
)

// A footprint is the most that a run held.
type footprint struct {
	Sink, Run string
	Skills    int
	Peak      int64
	Asked     int64 // at most
}

// What may be held, in bytes: the program, a skill in a sink, AWS's listing of
// it, an update that waits.
const (
	askedBase    = 40 << 20
	askedSkill   = 300
	askedListing = 300
	askedUpdate  = 400
)

// maxRotated is how many skills the emulator rotates at once: those that it did not
// rotate for the longest time.
const maxRotated = 10_000

// memory measures what runs over lists of different length hold at most.
func (f *findings) memory(t *testing.T) {
	sizes := []int{1000, 10_000}
	if size(0, 1) == 1 {
		sizes = append(sizes, 100_000)
	}
	for _, skills := range sizes {
		t.Run(fmt.Sprintf("%d files", skills), func(t *testing.T) {
			if _, err := os.Stat("/dev/shm"); err == nil {
				t.Setenv("TMPDIR", "/dev/shm") // where files cost no disk
			}
			w := loneWorld(t, skills)
			w.withFiles("{skill_id}.json", nil)
			f.weigh(w, "file", skills, 0)
		})
		t.Run(fmt.Sprintf("%d in Vault", skills), func(t *testing.T) {
			w := loneWorld(t, skills)
			w.withVault()
			f.weigh(w, "vault_kv", skills, 0)
		})
		t.Run(fmt.Sprintf("%d in AWS", skills), func(t *testing.T) {
			w := loneWorld(t, skills)
			w.sinks["aws"] = settings{"aws_secrets_manager": settings{
				"region": region, "name": "alexa/{skill_id}", "endpoint_url": startStandIn(t).URL,
			}}
			f.weigh(w, "aws_secrets_manager", skills, askedListing)
		})
	}
}

// weigh fills a sink, finds nothing changed, and then finds all changed.
func (f *findings) weigh(w *world, sink string, skills int, listing int64) {
	w.source["concurrency"], w.source["requests_per_second"], w.source["max_requests_per_second"] = 16, 10_000, 10_000
	w.job["max_changes"], w.job["timeout"] = "100%", "2h"
	for _, run := range []string{"first fill", "nothing changed", "all rotated"} {
		asked := askedBase + int64(skills)*(askedSkill+listing)
		if run == "all rotated" {
			for left := skills; left > 0; left -= maxRotated {
				w.amazon.rotate(min(left, maxRotated))
			}
			asked += int64(skills) * askedUpdate
		}
		c := spend(w.T, w.command(w.Context(), "--log-level", "warn", "sync", "-o", "json"), nil)
		w.Logf("%d skills, %s, %s: %s of %s", skills, sink, run, mebibytes(c.peak), mebibytes(asked))
		found := footprint{sink, run, skills, c.peak, asked}
		if i := slices.IndexFunc(f.Memory, found.same); i >= 0 {
			f.Memory[i] = found
		} else {
			f.Memory = append(f.Memory, found)
		}
	}
}

// same reports whether g is of the same run.
func (f footprint) same(g footprint) bool {
	return f.Sink == g.Sink && f.Run == g.Run && f.Skills == g.Skills
}

package e2e

import (
	"maps"
	"path/filepath"
	"strings"
	"sync"
)

// A killer waits for a moment in the life of a process, seen from outside: a
// request that comes to a gate, an answer about to go back, a system call. The
// zero killer kills nobody and counts.
type killer struct {
	moment string
	nth    int // of its occurrences
	victim chan *process

	mu     sync.Mutex
	seen   map[string]int // occurrences by moment
	struck bool
	trail  string // what was last written to the audit file
	mark   string // and to a mark of the file sink
}

func newKiller(moment string, nth int) *killer {
	return &killer{moment: moment, nth: nth, victim: make(chan *process, 1), seen: make(map[string]int)}
}

// comes notes a moment. It reports whether the victim is dead.
func (k *killer) comes(moment string) (dead bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.struck {
		return true
	}
	k.seen[moment]++
	if moment == k.moment && k.seen[moment] == k.nth {
		k.struck = true
		p := <-k.victim
		p.kill()
	}
	return k.struck
}

// report tells whether the victim was struck, and how often each moment came.
func (k *killer) report() (struck bool, seen map[string]int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.struck, maps.Clone(k.seen)
}

// guard lets the killer see what comes to the gate of a server.
func (k *killer) guard(server string) guard {
	return func(name string, through func()) bool {
		if k.comes(server + ": " + name) {
			return false
		}
		through()
		return !k.comes(server + ": " + name + ", served")
	}
}

// see is the killer's watch.
func (k *killer) see(c call) {
	if moment := k.name(c); moment != "" {
		k.comes("file: " + moment)
	}
}

// name returns c without what differs from run to run: "fsync audit, write.intent",
// "rename mark, pending". A call that follows a write is told apart by that.
func (k *killer) name(c call) string {
	base, dir := filepath.Base(c.file), filepath.Base(filepath.Dir(c.file))
	secret := strings.HasSuffix(base, ".json")
	switch {
	case base == "audit.jsonl":
		if c.name == "write" {
			k.trail = event(c.text)
		}
		return c.name + " audit, " + k.trail
	case base == ".credsync-mark.tmp":
		if c.name == "write" {
			k.mark = "final"
		}
		if strings.Contains(c.text, `"next"`) {
			k.mark = "pending"
		}
		return c.name + " mark, " + k.mark
	case base == ".credsync.tmp":
		return c.name + " data"
	case base == "secrets":
		return c.name + " dir, " + k.mark
	case strings.HasSuffix(base, ".credsync"):
		return c.name + " mark, " + k.mark
	case strings.HasPrefix(base, "amzn1.") && secret:
		return c.name + " data"
	case dir == "state": // .NAME.json.RANDOM.tmp
		name, _, _ := strings.Cut(strings.TrimPrefix(base, "."), ".")
		return c.name + " " + name
	case secret:
		return c.name + " " + strings.TrimSuffix(base, ".json")
	}
	return ""
}

// event returns what the first line of text records.
func event(text string) string {
	_, rest, _ := strings.Cut(text, `"event":"`)
	name, _, _ := strings.Cut(rest, `"`)
	if strings.Contains(text, `"outcome":"reconciled"`) {
		return "reconciled"
	}
	return name
}

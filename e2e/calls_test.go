package e2e

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Each outcome costs so many calls of a server at most, which the servers count:
// Vault in its audit log, the gate before AWS, the emulator. A run has a few
// calls of its own on top: AWS's listing, which is two calls for a hundred
// skills at most, Vault's kind of mount and its listing for orphans.
func TestWhatEachOutcomeCostsInCalls(t *testing.T) {
	const n, ofTheRun = 50, 2
	w := newWorld(t, n)
	v, a := w.withVault(), w.withAWS()
	w.withFiles("{skill_id}.json", nil)
	w.job["max_changes"] = "100%"
	_, mark := v.requests(0)
	costs := func(what string, outcomes map[string]int, vault, aws int) {
		t.Helper()
		_, mark = v.requests(mark)
		a.took()
		w.amazon.forget()
		if w.wantSync(0, outcomes).took > 10*time.Second { // then an update is looked at again before
			vault, aws = vault+1, aws+1
		}
		asked, end := v.requests(mark)
		mark = end
		if got := len(asked); got > vault*n+ofTheRun {
			t.Errorf("%s: Vault was called %d times for %d skills: %s", what, got, n, table(counts(asked)))
		}
		again := a.unserved() // the SDK asks twice
		calls := a.took()
		if got := total(calls) - again; got > aws*n+n/50 {
			t.Errorf("%s: AWS was called %d times for %d skills: %s", what, got, n, table(calls))
		}
		if got := w.amazon.asked("credentials"); got != n {
			t.Errorf("%s: Amazon was asked for %d pairs of %d skills", what, got, n)
		}
		if got := w.amazon.asked("token"); got != 1 {
			t.Errorf("%s: LWA was asked for %d tokens", what, got)
		}
		t.Logf("%-9s Vault %s", what, table(counts(asked)))
		t.Logf("%-9s AWS   %s", "", table(calls))
	}
	costs("created", map[string]int{"created": 3 * n}, 4, 2)
	costs("unchanged", map[string]int{"unchanged": 3 * n}, 1, 0)
	w.amazon.rotate(n)
	costs("updated", map[string]int{"updated": 3 * n}, 3, 3)
	for _, skill := range w.amazon.skills() {
		v.alter(skill)
		a.alter(skill)
	}
	costs("altered", map[string]int{"repaired": 2 * n, "unchanged": n}, 4, 4)
	for _, skill := range w.amazon.skills() {
		v.remove(skill)
		a.remove(skill)
	}
	costs("deleted", map[string]int{"repaired": 2 * n, "unchanged": n}, 4, 4)
}

func TestFilesTakeNoNetwork(t *testing.T) {
	const n = 20
	w := newWorld(t, n)
	g := w.gateAmazon()
	w.withFiles("{skill_id}.json", nil)
	w.wantSync(0, map[string]int{"created": n})
	g.took()
	w.wantSync(0, map[string]int{"unchanged": n})
	got := g.took()
	if diff := cmp.Diff(map[string]int{"credentials": n, "token": 1}, got); diff != "" {
		t.Errorf("all that was asked (-want +got):\n%s", diff)
	}
}

package e2e

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestAKilledRunIsHealedByTheNext kills the first fill and then runs in which a
// fifth of the secrets is to be updated, each at a moment of its own.
func TestAKilledRunIsHealedByTheNext(t *testing.T) {
	const kills, renewed = 20, many / 5
	w := newWorld(t, many)
	w.withFiles("{skill_id}.json", nil)
	holders := []holder{w.withVault(), w.withAWS(), folder{w}}
	w.job["max_changes"] = "100%"
	said := make(map[string][]pair) // by skill, all that Amazon ever said
	for _, skill := range w.amazon.skills() {
		said[skill] = []pair{w.amazon.pair(skill)}
	}
	killed, runs := 0, 0
	for ahead := 4 * time.Second; killed < kills && runs < 4*kills; runs++ {
		p := start(t, w.command(t.Context(), "sync"))
		select {
		case <-p.ended:
			ahead = ahead * 2 / 3 // it takes less than that here
		case <-time.After(rand.N(ahead)):
			killed++
		}
		p.kill()
		for _, skill := range w.amazon.rotate(renewed) {
			w.wantOneOf(holders, skill, said[skill])
			said[skill] = append(said[skill], w.amazon.pair(skill))
		}
	}
	r := w.sync()
	if r.code != 0 || len(r.troubles()) > 0 {
		t.Errorf("the run after %d kills: exit code %d, outcomes %v, %v", killed, r.code, r.Outcomes, r.troubles())
	}
	w.holds(holders...)
	w.wantSync(0, map[string]int{"unchanged": 3 * many})
	w.verifyAudit()
	t.Logf("killed %d of %d runs; the next: %v in %s", killed, runs, r.Outcomes, r.took.Round(time.Millisecond))
}

// wantOneOf wants each holder to have nothing at a skill's name, or a pair of it.
func (w *world) wantOneOf(holders []holder, skill string, said []pair) {
	w.Helper()
	for _, s := range holders {
		if value := s.value(skill); value != "" && !slices.Contains(said, pairIn(value)) {
			w.Errorf("%s holds for %s what Amazon never said of it", s.sink(), skill)
		}
	}
}

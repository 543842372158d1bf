package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestAKilledRunIsHealedByTheNext kills the first fill and then runs in which a
// fifth of the secrets is to be updated, each at a moment of its own.
func TestAKilledRunIsHealedByTheNext(t *testing.T) {
	kills, rounds := size(12, 100), size(1, 5)
	var mu sync.Mutex
	sum := newTally()
	t.Cleanup(func() { t.Logf("seed %d: %s", seed(), sum) })
	for round := range rounds {
		t.Run(fmt.Sprint("round ", round+1), func(t *testing.T) {
			d := newDoomed(t, size(many/4, many), uint64(10+round))
			d.remembersAll()
			y := newTally()
			runs := d.killedUnderLoad(y, kills)
			begin := time.Now()
			d.recovers(y)
			t.Logf("killed %d of %d runs; healed in %s", y.kills, runs, time.Since(begin).Round(time.Millisecond))
			d.recount(y)
			mu.Lock()
			defer mu.Unlock()
			sum.add(y)
		})
	}
}

// killedUnderLoad kills so many runs. A fifth of the pairs changes after each.
func (d *doomed) killedUnderLoad(y *tally, kills int) (runs int) {
	d.Helper()
	for ahead := 4 * time.Second; y.kills < kills && runs < 4*kills; runs++ {
		begin := time.Now()
		p := start(d.T, d.command(d.Context(), "sync"))
		select {
		case <-p.ended:
			ahead = time.Since(begin)
		case <-time.After(time.Duration(d.rand.Int64N(int64(ahead)))):
			y.kills++
			ahead = ahead * 11 / 10 // so that some runs get to their end, however slow
		}
		p.kill()
		renewed := d.some(len(d.said) / 5)
		d.survey(y, false, renewed...)
		for _, skill := range renewed {
			d.renew(skill)
		}
	}
	return runs
}

// recount counts the versions beyond one for each pair that a sink has stored.
// Of files nothing is kept but a number: no more than there were pairs.
func (d *doomed) recount(y *tally) {
	d.Helper()
	for _, k := range d.keepers {
		for skill, said := range d.said {
			pairs := make(map[pair]bool)
			h, ok := k.(historian)
			if !ok {
				y.extra[k.sink()] += max(0, k.versions(skill)-said)
				continue
			}
			history := h.history(skill)
			for _, p := range history {
				pairs[p] = true
			}
			if n := k.versions(skill); n != len(history) {
				d.Errorf("%s has %d versions of %s, and %d can be read", k.sink(), n, skill, len(history))
			}
			y.extra[k.sink()] += len(history) - len(pairs)
		}
		if n := y.extra[k.sink()]; n > spare[k.sink()]*y.kills {
			d.Errorf("%s: %d versions too many by %d kills", k.sink(), n, y.kills)
		}
	}
}

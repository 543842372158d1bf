package e2e

import (
	"cmp"
	"os/exec"
	"testing"
	"time"
)

// TestARunKilledAtARequestIsHealedByTheNext and the one below kill runs that
// make, update and repair secrets, 20 times at each point in full:
//
//	CREDSYNC_TEST_FULL=1 ./e2e/run -run Kill -v -timeout 60m
func TestARunKilledAtARequestIsHealedByTheNext(t *testing.T) {
	killAt(t, atPeers, 1, func(t *testing.T, cmd *exec.Cmd, _ watch) *process { return start(t, cmd) })
}

func TestARunKilledAtASystemCallIsHealedByTheNext(t *testing.T) {
	killAt(t, atCalls, 2, startWatched)
}

// A starter starts a process, under the watch if it can.
type starter func(*testing.T, *exec.Cmd, watch) *process

func killAt(t *testing.T, points []point, series uint64, starts starter) {
	d := newDoomed(t, 6, series)
	d.starts = starts
	d.source["concurrency"] = 1 // so that a kill hits one skill
	d.job["on_start"] = true
	d.amazon.control("POST", "tokens?refresh=new", nil, nil)
	d.wantSync(0, map[string]int{"created": 18})
	times := d.rehearse()
	sum := newTally()
	for _, p := range points {
		t.Run(p.what, func(t *testing.T) {
			parent := d.T
			d.T = t
			defer func() { d.T = parent }()
			begin, y := time.Now(), newTally()
			for range size(1, 20) {
				d.killedAt(p, times[p.moment], y)
			}
			sum.add(y)
			t.Logf("%s in %s", y, time.Since(begin).Round(time.Second))
		})
	}
	t.Logf("%d points, seed %d: %s", len(points), seed(), sum)
}

// rehearse makes a run that nobody kills, with something to do of each kind. It
// returns how often each moment comes.
func (d *doomed) rehearse() map[string]int {
	d.Helper()
	d.stir()
	_, times := d.killed(newKiller("", 0), "sync")
	d.wantSync(0, map[string]int{"unchanged": 18})
	if extra := d.extra(); len(extra) > 0 {
		d.Errorf("a run that nobody killed made versions too many: %v", extra)
	}
	return times
}

// killedAt kills one run at p, at one of its occurrences, of which there are so
// many.
func (d *doomed) killedAt(p point, times int, y *tally) {
	d.Helper()
	nth := 1
	switch {
	case p.later:
		nth = 2 + d.rand.IntN(max(times-1, 1))
	case !p.only:
		nth = 1 + d.rand.IntN(max(times, 1))
	}
	struck := false
	for n := range 3 { // records share a write as it comes, so the last may not come
		d.stir()
		if p.after != "" {
			d.killed(newKiller(p.after, 1), "sync")
		}
		if struck, _ = d.killed(newKiller(p.moment, max(nth-n, 1)), p.command); struck {
			break
		}
	}
	if !struck {
		d.Errorf("the moment did not come a %dth time", nth)
		return
	}
	y.kills++
	d.wantAnnounced()
	d.survey(y, false, d.some(len(d.said))...)
	d.recovers(y)
	for sink, n := range d.extra() {
		y.extra[sink] += n
		if n > spare[sink] {
			d.Errorf("one kill made %d versions too many in %s", n, sink)
		}
	}
}

// killed makes a run under k, and returns what k tells.
func (d *doomed) killed(k *killer, command string) (struck bool, seen map[string]int) {
	d.Helper()
	for server, g := range d.gates {
		g.set(k.guard(server))
		defer g.set(nil)
	}
	p := d.starts(d.T, d.command(d.Context(), cmp.Or(command, "sync")), k.see)
	k.victim <- p
	until(d.T, maxRun, "the end of a run", p.over)
	return k.report()
}

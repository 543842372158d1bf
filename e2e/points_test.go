package e2e

import (
	"cmp"
	"os/exec"
	"testing"
	"time"
)

// A point is a moment at which runs are killed.
type point struct {
	what   string // as a sentence says it
	moment string // as a killer names it
	from   int    // the first of its occurrences that counts; 0 = any

	command string // what is killed, if not sync
}

// atPeers are the points that the gates see. What is "served" is done, and its
// answer gets lost.
var atPeers = []point{
	{what: "the token is asked for", moment: "amazon: token", from: 1},
	{what: "the token was given", moment: "amazon: token, served", from: 1},
	{what: "a pair is asked for", moment: "amazon: credentials"},
	{what: "a pair was given", moment: "amazon: credentials, served"},
	{what: "a pair is to be proven", moment: "amazon: token", from: 2},
	{what: "a pair was proven", moment: "amazon: token, served", from: 2},
	{what: "Vault is looked at", moment: "vault: GET metadata"},
	{what: "Vault was looked at", moment: "vault: GET metadata, served"},
	{what: "a name is to be claimed in Vault", moment: "vault: POST metadata"},
	{what: "a name was claimed in Vault", moment: "vault: POST metadata, served"},
	{what: "a version is sent to Vault", moment: "vault: POST data"},
	{what: "a version was stored in Vault", moment: "vault: POST data, served"},
	{what: "a mark is sent to Vault", moment: "vault: PATCH metadata"},
	{what: "a mark was set in Vault", moment: "vault: PATCH metadata, served"},
	{what: "AWS is asked for a list", moment: "aws: ListSecrets"},
	{what: "AWS was looked at", moment: "aws: DescribeSecret, served"},
	{what: "a secret is to be made in AWS", moment: "aws: CreateSecret"},
	{what: "a secret was made in AWS", moment: "aws: CreateSecret, served"},
	{what: "a version is sent to AWS", moment: "aws: PutSecretValue"},
	{what: "a version was stored in AWS", moment: "aws: PutSecretValue, served"},
	{what: "a version is to be made current in AWS", moment: "aws: UpdateSecretVersionStage"},
	{what: "a version was made current in AWS", moment: "aws: UpdateSecretVersionStage, served"},
	{what: "a secret is to be restored in AWS", moment: "aws: RestoreSecret"},
	{what: "a secret was restored in AWS", moment: "aws: RestoreSecret, served"},
}

// atCalls are the points that a watch sees: the call is about to be made.
var atCalls = []point{
	{what: "the run is to be recorded", moment: "file: write audit, run.start"},
	{what: "an intent is to be written", moment: "file: write audit, write.intent"},
	{what: "an intent is not durable yet", moment: "file: fsync audit, write.intent"},
	{what: "an intent is durable, and nothing done", moment: "file: write data"},
	{what: "a file is not durable yet", moment: "file: fsync data"},
	{what: "the mark of a new value is to be written", moment: "file: write mark, pending"},
	{what: "the mark of a new value is to be set", moment: "file: rename mark, pending"},
	{what: "the mark of a new value is not durable yet", moment: "file: fsync dir, pending"},
	{what: "a file is to be put in its place", moment: "file: rename data"},
	{what: "a file is in its place", moment: "file: write mark, final"},
	{what: "a file is to be confirmed", moment: "file: rename mark, final"},
	{what: "a file was confirmed", moment: "file: fsync dir, final"},
	{what: "an outcome is to be written", moment: "file: write audit, write.outcome"},
	{what: "an outcome is not durable yet", moment: "file: fsync audit, write.outcome"},
	{what: "the end is to be recorded", moment: "file: write audit, run.finish"},
	{what: "the end is not durable yet", moment: "file: fsync audit, run.finish"},
	{what: "the audit head is to be written", moment: "file: write audit-head"},
	{what: "the audit head is to be put in its place", moment: "file: rename audit-head"},
	{what: "a new refresh token is to be written", moment: "file: write refresh-token-amazon"},
	{what: "a new refresh token is not durable yet", moment: "file: fsync refresh-token-amazon"},
	{what: "a new refresh token is to be put in its place", moment: "file: rename refresh-token-amazon"},
	{what: "the daemon is to write its last slot", moment: "file: write last-slots", command: "run"},
	{what: "the daemon is to put its last slot in its place", moment: "file: rename last-slots", command: "run"},
}

// TestARunKilledAtARequestIsHealedByTheNext and the one below kill runs that
// make, update and repair secrets, 20 times at each point in full:
//
//	CREDSYNC_TEST_FULL=1 ./e2e/run -run Killed -v -timeout 60m
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
	nth := max(p.from, 1)
	if p.from != 1 && times > nth {
		nth += d.rand.IntN(times - nth + 1)
	}
	struck := false
	for n := range 3 { // records share a write as it comes, so the last may not come
		d.stir()
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
		y.most = max(y.most, n)
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

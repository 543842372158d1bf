package e2e

import (
	"testing"
	"time"
)

// A point is a moment at which runs are killed.
type point struct {
	what   string // as a sentence says it
	moment string // as a killer names it
	from   int    // the first of its occurrences that counts; 0 = any
}

// atPeers are the points that the gates see. What is "served" is done, and its
// answer gets lost.
var atPeers = []point{
	{"the token is asked for", "amazon: token", 1},
	{"the token was given", "amazon: token, served", 1},
	{"a pair is asked for", "amazon: credentials", 0},
	{"a pair was given", "amazon: credentials, served", 0},
	{"a pair is to be proven", "amazon: token", 2},
	{"a pair was proven", "amazon: token, served", 2},
	{"Vault is looked at", "vault: GET metadata", 0},
	{"Vault was looked at", "vault: GET metadata, served", 0},
	{"a name is to be claimed in Vault", "vault: POST metadata", 0},
	{"a name was claimed in Vault", "vault: POST metadata, served", 0},
	{"a version is sent to Vault", "vault: POST data", 0},
	{"a version was stored in Vault", "vault: POST data, served", 0},
	{"a mark is sent to Vault", "vault: PATCH metadata", 0},
	{"a mark was set in Vault", "vault: PATCH metadata, served", 0},
	{"AWS is asked for a list", "aws: ListSecrets", 0},
	{"AWS was looked at", "aws: DescribeSecret, served", 0},
	{"a secret is to be made in AWS", "aws: CreateSecret", 0},
	{"a secret was made in AWS", "aws: CreateSecret, served", 0},
	{"a version is sent to AWS", "aws: PutSecretValue", 0},
	{"a version was stored in AWS", "aws: PutSecretValue, served", 0},
	{"a version is to be made current in AWS", "aws: UpdateSecretVersionStage", 0},
	{"a version was made current in AWS", "aws: UpdateSecretVersionStage, served", 0},
	{"a secret is to be restored in AWS", "aws: RestoreSecret", 0},
	{"a secret was restored in AWS", "aws: RestoreSecret, served", 0},
}

// atCalls are the points that a watch sees: the call is about to be made.
var atCalls = []point{
	{"the run is to be recorded", "file: write audit, run.start", 0},
	{"an intent is to be written", "file: write audit, write.intent", 0},
	{"an intent is not durable yet", "file: fsync audit, write.intent", 0},
	{"an intent is durable, and nothing done", "file: write data", 0},
	{"a file is not durable yet", "file: fsync data", 0},
	{"the mark of a new value is to be written", "file: write mark, pending", 0},
	{"the mark of a new value is to be set", "file: rename mark, pending", 0},
	{"the mark of a new value is not durable yet", "file: fsync dir, pending", 0},
	{"a file is to be put in its place", "file: rename data", 0},
	{"a file is in its place", "file: write mark, final", 0},
	{"a file is to be confirmed", "file: rename mark, final", 0},
	{"a file was confirmed", "file: fsync dir, final", 0},
	{"an outcome is to be written", "file: write audit, write.outcome", 0},
	{"an outcome is not durable yet", "file: fsync audit, write.outcome", 0},
	{"the end is to be recorded", "file: write audit, run.finish", 0},
	{"the end is not durable yet", "file: fsync audit, run.finish", 0},
	{"the audit head is to be written", "file: write audit-head", 0},
	{"the audit head is to be put in its place", "file: rename audit-head", 0},
	{"a new refresh token is to be written", "file: write refresh-token-amazon", 0},
	{"a new refresh token is not durable yet", "file: fsync refresh-token-amazon", 0},
	{"a new refresh token is to be put in its place", "file: rename refresh-token-amazon", 0},
}

// TestARunKilledAtARequestIsHealedByTheNext and the one below kill runs that
// make, update and repair secrets, 20 times at each point in full:
//
//	CREDSYNC_TEST_FULL=1 ./e2e/run -run Killed -v -timeout 60m
func TestARunKilledAtARequestIsHealedByTheNext(t *testing.T) { killAt(t, atPeers, 1) }

func TestARunKilledAtASystemCallIsHealedByTheNext(t *testing.T) { killAt(t, atCalls, 2) }

func killAt(t *testing.T, points []point, series uint64) {
	d := newDoomed(t, 6, series)
	d.source["concurrency"] = 1 // so that a kill hits one skill
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
	k := newKiller("", 0)
	d.killed(k)
	d.wantSync(0, map[string]int{"unchanged": 18})
	if extra := d.extra(); len(extra) > 0 {
		d.Errorf("a run that nobody killed made versions too many: %v", extra)
	}
	return k.seen
}

// killedAt kills one run at p, at one of its occurrences, of which there are so
// many.
func (d *doomed) killedAt(p point, times int, y *tally) {
	d.Helper()
	d.stir()
	from := max(p.from, 1)
	nth := from
	if p.from != 1 && times > from {
		nth += d.rand.IntN(times - from + 1)
	}
	if !d.killed(newKiller(p.moment, nth)) {
		d.Errorf("the moment did not come a %dth time", nth)
		return
	}
	y.kills++
	d.survey(y, false, d.some(len(d.said))...)
	d.recovers(y)
	extra := d.extra()
	for sink, n := range extra {
		y.extra[sink] += n
		y.most = max(y.most, n)
	}
	if y.most > 1 {
		d.Errorf("more than one version too many by one kill: %v", extra)
	}
}

// killed makes a run under k, and reports whether it was killed.
func (d *doomed) killed(k *killer) bool {
	d.Helper()
	for server, g := range d.gates {
		g.set(k.guard(server))
		defer g.set(nil)
	}
	p := startWatched(d.T, d.command(d.Context(), "sync"), k.see)
	k.victim <- p
	until(d.T, maxRun, "the end of a run", p.over)
	return k.struck
}

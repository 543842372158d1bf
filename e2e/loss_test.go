package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestALostAnswerIsNoSecondWrite serves writes and cuts the connection in place of
// every second answer, each once: a create and an update of each skill in Vault
// and AWS make some 8 writes a skill.
//
//	CREDSYNC_TEST_FULL=1 ./e2e/run -run LostAnswer -v
func TestALostAnswerIsNoSecondWrite(t *testing.T) {
	skills := size(12, 250)
	w := newWorld(t, skills)
	v, a := w.withVault(), w.withAWS()
	w.job["max_changes"] = "100%"
	l := &losses{rand: rand.New(rand.NewPCG(seed(), 0)), met: make(map[string]bool)}
	toVault, toAWS := newGate(t, v.url, vaultWrite), newGate(t, a.URL, awsWrite)
	w.vaultSink()["address"] = toVault.URL
	w.sinks["aws"]["aws_secrets_manager"].(settings)["endpoint_url"] = toAWS.URL

	extra := 0
	for round, outcome := range []string{"created", "updated"} {
		if round > 0 {
			w.amazon.rotate(skills)
		}
		l.met = make(map[string]bool)
		toVault.set(l.guard)
		toAWS.set(l.guard)
		w.wantSync(0, map[string]int{outcome: 2 * skills})
		w.closed(outcome)
		toVault.set(nil)
		toAWS.set(nil)
		for _, skill := range w.amazon.skills() {
			inVault, inAWS := v.versions(skill), a.versions(skill)
			extra += inVault - (round + 1)
			if inAWS != round+1 || inVault > 2*(round+1) {
				t.Errorf("%s: %d versions in AWS and %d in Vault after %d values", skill, inAWS, inVault, round+1)
			}
		}
		w.holds()
		w.wantSync(0, map[string]int{"unchanged": 2 * skills})
	}
	w.verifyAudit()
	t.Logf("seed %d: %d answers lost of %d writes; %d versions more than values in Vault, 0 in AWS", seed(), l.lost, l.writes, extra)
}

// losses cuts answers to writes.
type losses struct {
	mu           sync.Mutex
	rand         *rand.Rand
	met          map[string]bool // writes, which may be repeated
	writes, lost int
}

func (l *losses) guard(name string, through func()) (answer bool) {
	through()
	if name == "" {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.met[name] {
		return true
	}
	l.met[name] = true
	l.writes++
	if l.rand.IntN(2) == 0 {
		return true
	}
	l.lost++
	return false
}

// vaultWrite names a write to Vault by its method and path; what only reads has
// no name.
func vaultWrite(r *http.Request) string {
	if r.Method == http.MethodGet || !strings.HasPrefix(r.URL.Path, "/v1/secret/") {
		return ""
	}
	return r.Method + " " + r.URL.Path
}

// awsWrite names a write to AWS by its operation and secret.
func awsWrite(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var in struct{ SecretId, Name string }
	_ = json.Unmarshal(body, &in)
	switch operation := awsCall(r); operation {
	case "DescribeSecret", "ListSecrets":
		return ""
	default:
		return operation + " " + in.SecretId + in.Name
	}
}

// A record is one line of the audit trail.
type record struct {
	Time                                                     time.Time
	Event, Run, Sink, Name, Action, Outcome, Reason, Version string
	Prev                                                     string `json:"prev_version"`
}

// records returns the audit trail.
func (w *world) records() (all []record) {
	w.Helper()
	for line := range strings.Lines(w.read("audit.jsonl")) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			w.Fatalf("audit.jsonl: %v: %s", err, line)
		}
		all = append(all, r)
	}
	return all
}

// closed wants each write of the last run to have ended well in the audit trail,
// and each to have been decided on at first as the outcome says.
func (w *world) closed(outcome string) {
	w.Helper()
	all := w.records()
	run := all[len(all)-1].Run
	first, last := make(map[string]record), make(map[string]record)
	for _, r := range all {
		if at := r.Sink + " " + r.Name; r.Run == run && r.Name != "" {
			if first[at] == (record{}) {
				first[at] = r
			}
			last[at] = r
		}
	}
	if want := len(w.stores) * len(w.amazon.skills()); len(last) != want {
		w.Errorf("the audit trail has %d names, want %d", len(last), want)
	}
	for at, r := range last {
		if r.Event != "write.outcome" || r.Reason != "" || r.Outcome == "failed" {
			w.Errorf("%s ends with %+v", at, r)
		}
		if !strings.HasPrefix(outcome, first[at].Action) {
			w.Errorf("%s begins with %+v, want %s", at, first[at], outcome)
		}
	}
}

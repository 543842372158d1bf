package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// faultTime is how long a run of the fault matrix may take; with what a write
// in flight still gets, it is over in faultLimit.
const (
	faultTime  = 12 * time.Second
	faultLimit = 20 * time.Second
)

// A cell is one field of the fault matrix.
type cell struct {
	toxic
	peer, phase string
	ways        []string
}

func (c cell) String() string {
	return fmt.Sprintf("%s %s %s", c.kind, c.phase, strings.Join(c.ways, "+"))
}

// cells draws from all cells as many as are to be tried. The sample has each
// toxic once, each peer twice and each phase at least twice.
func cells() (drawn []cell) {
	r := rand.New(rand.NewPCG(seed(), 0))
	shift := r.IntN(12)
	for i, x := range r.Perm(len(toxics)) {
		for k := range size(1, len(peerNames)*len(phases)) {
			k += i + shift // peers are four and phases three, so twelve in a row are all pairs
			drawn = append(drawn, cell{toxics[x], peerNames[k%len(peerNames)], phases[k%len(phases)], ways[r.IntN(len(ways))]})
		}
	}
	return drawn
}

// A storm is a world with all kinds of sinks, each server behind a network.
type storm struct {
	*world
	vault   *vault
	aws     *aws
	peers   map[string]*peer
	holders []holder
	rand    *rand.Rand
	said    scan
}

func newStorm(t *testing.T, skills int) *storm {
	t.Helper()
	w := newWorld(t, skills)
	s := &storm{world: w, vault: w.withVault(), aws: w.withAWS(), rand: rand.New(rand.NewPCG(seed(), 1))}
	w.withFiles("{skill_id}.json", nil)
	s.holders = []holder{s.vault, s.aws, folder{w}}
	s.peers = w.withPeers(s.vault, s.aws)
	w.job["max_changes"] = "100%"
	s.said.secrets = map[string]string{
		w.amazon.client.ClientSecret: "client secret", w.amazon.client.RefreshToken: "refresh token",
		w.read("vault-token"): "Vault token", awsSecret: "AWS secret key",
	}
	return s
}

// TestTheFaultMatrix spoils the network to each peer in each phase of a run in
// each way. Such a run does no harm, and the next makes all good.
func TestTheFaultMatrix(t *testing.T) {
	all := cells()
	t.Logf("%d cells, seed %d", len(all), seed())
	for _, name := range peerNames {
		t.Run(name, func(t *testing.T) {
			s := newStorm(t, 9)
			for _, c := range all {
				if c.peer == name {
					t.Run(c.String(), func(t *testing.T) { s.suffer(t, c) })
				}
			}
			s.T = t
			s.said.look("audit.jsonl", s.read("audit.jsonl"))
			s.said.wantNothing(t)
		})
	}
}

// suffer makes a run in a cell and two after it.
func (s *storm) suffer(t *testing.T, c cell) {
	s.T = t
	may := s.disturb()
	versions := s.versions()
	p := s.peers[c.peer]
	reached := p.begin(c.phase, func() { p.poison(c.toxic, c.ways) })
	s.job["timeout"] = faultTime.String()
	r := s.talk()
	p.set(nil)
	p.cure()
	if !reached.Load() {
		t.Error("the phase never came")
	}
	if r.code != 0 && r.code != 1 && r.code != 3 || r.took > faultLimit {
		t.Errorf("exit code %d after %s\n%s", r.code, r.took, tail(r.stderr))
	}
	s.wantTroubles(c, r)
	s.wantEach(may)
	t.Logf("exit code %d after %s: %v", r.code, r.took.Round(100*time.Millisecond), r.Outcomes)

	s.job["timeout"] = "1m"
	if r := s.talk(); r.code != 0 || len(r.troubles()) > 0 {
		t.Errorf("the run after it: exit code %d, %v, %v\n%s", r.code, r.Outcomes, r.troubles(), tail(r.stderr))
	}
	s.holds(s.holders...)
	s.want(s.talk(), 0, map[string]int{"unchanged": len(may) * len(s.holders)})
	s.wantFewVersions(versions)
	s.verifyAudit()
}

// begin calls f once, when the phase comes.
func (p *peer) begin(phase string, f func()) (begun *atomic.Bool) {
	var n atomic.Int32
	var once sync.Once
	begun = new(atomic.Bool)
	p.set(func(name string, through func()) bool {
		now := p.moments[phase](int(n.Add(1)), name)
		if now && phase != atAnswer {
			once.Do(f)
			begun.Store(true)
		}
		through()
		if now && phase == atAnswer {
			once.Do(f)
			begun.Store(true)
		}
		return true
	})
	return begun
}

// talk makes a pass that says all it can, and looks through that. What a run
// that was not killed has announced it concludes itself.
func (s *storm) talk() report {
	s.Helper()
	r := s.sync("--log-level", "debug")
	s.said.look("standard output", r.stdout)
	s.said.look("standard error", r.stderr)
	s.wantIntentsClosed()
	return r
}

// disturb gives a run something of each kind to do: to create, to update, to
// repair. It returns what a holder may have at each skill's name from now on.
func (s *storm) disturb() map[string][]pair {
	s.Helper()
	skills := s.amazon.skills()
	may := make(map[string][]pair)
	for _, skill := range skills {
		for _, h := range s.holders {
			may[skill] = append(may[skill], pairIn(h.value(skill)))
		}
	}
	altered, gone := skills[s.rand.IntN(len(skills))], skills[s.rand.IntN(len(skills))]
	if s.vault.versions(altered) > 0 { // not before the first run
		for _, st := range s.stores {
			st.alter(altered)
		}
		s.vault.must("DELETE", "secret/metadata/"+secretName(gone), nil, nil)
		s.aws.must("DeleteSecret", settings{"SecretId": secretName(gone), "ForceDeleteWithoutRecovery": true})
	}
	s.amazon.rotate(len(skills) / 3)
	for _, skill := range skills {
		p := s.amazon.pair(skill)
		may[skill] = append(may[skill], p)
		s.said.secrets[p.ClientID], s.said.secrets[p.ClientSecret] = "client ID", "client secret"
	}
	may[altered] = append(may[altered], pair{byHand["client_id"], byHand["client_secret"]})
	may[gone] = append(may[gone], pair{})
	return may
}

// wantEach wants each holder to have at each skill's name one of what it may:
// the pair from before or the new one, never another's, never half of each.
func (s *storm) wantEach(may map[string][]pair) {
	s.Helper()
	for skill, pairs := range may {
		for _, h := range s.holders {
			value := h.value(skill)
			if got := pairIn(value); !slices.Contains(pairs, got) || got == (pair{}) && value != "" {
				s.Errorf("%s holds for %s what it never should", h.sink(), skill)
			}
		}
	}
}

// wantFewVersions wants each secret to have one version more than before at most,
// and in Vault, where an answer was lost, two.
func (s *storm) wantFewVersions(before map[string]int) {
	s.Helper()
	for name, n := range s.versions() {
		most := 1
		if strings.HasPrefix(name, s.vault.sink()) {
			most = 2
		}
		if n > before[name]+most {
			s.Errorf("%s: %d versions, %d before", name, n, before[name])
		}
	}
}

// wantTroubles wants each trouble of r to be one of the network's, and those of
// one sink to be its own. What hangs until the end of the run takes the others
// their turn, unless an attempt may take less than the run.
func (s *storm) wantTroubles(c cell, r report) {
	s.Helper()
	hangs := c.kind == "timeout" || c.kind == "bandwidth"
	for _, res := range r.troubles() {
		elsewhere := slices.Contains([]string{"Vault", "AWS"}, c.peer) && res.Sink != strings.ToLower(c.peer)
		known := slices.Contains([]string{"unavailable", "timeout", "conflict"}, res.Reason)
		if !known || res.Outcome != "failed" && res.Outcome != "skipped" || elsewhere && !hangs {
			s.Errorf("%+v", res)
		}
	}
}

// wantIntentsClosed wants an outcome after each intent in the audit trail.
func (w *world) wantIntentsClosed() {
	w.Helper()
	open := make(map[[3]string]bool)
	for line := range strings.Lines(w.read("audit.jsonl")) {
		var r struct{ Event, Run, Sink, Name string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			w.Fatal(err)
		}
		switch key := [3]string{r.Run, r.Sink, r.Name}; r.Event {
		case "write.intent":
			open[key] = true
		case "write.outcome":
			delete(open, key)
		}
	}
	if len(open) > 0 {
		w.Errorf("writes were announced and never closed: %v", open)
	}
}

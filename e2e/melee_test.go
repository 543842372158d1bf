package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// contested is how many skills the daemons and the hand quarrel over.
const contested = 20

// TestTwoWritersAndAForeignHandRaceOnVault lets two credsyncs run, one pass after
// the other, while Amazon rotates and a hand does as root what it likes. Then
// Vault's own history has to agree with the audit trail: what was the hand's went
// by a repair or a conflict on record, copies of our mark aside, and what was
// foreign did not go at all, or by a conflict on record.
//
//	CREDSYNC_TEST_FULL=1 ./e2e/run -run ForeignHandRace -v
func TestTwoWritersAndAForeignHandRaceOnVault(t *testing.T) {
	w := newWorld(t, contested)
	v := w.withVault()
	v.must("POST", "secret/config", map[string]any{"max_versions": 10_000}, nil)
	w.job["max_changes"] = "100%"
	w.wantSync(0, map[string]int{"created": contested})
	h := newHand(w, v)

	ctx, stop := context.WithTimeout(t.Context(), time.Duration(size(8, 180))*time.Second)
	defer stop()
	config := w.configure()
	var wg sync.WaitGroup
	passes := [2]int{}
	for i := range passes {
		wg.Go(func() { passes[i] = w.keepOn(ctx, config) })
	}
	for tick := time.Tick(20 * time.Millisecond); ctx.Err() == nil; <-tick {
		h.act()
	}
	wg.Wait()
	h.compare()

	before := make(map[string]string)
	for _, skill := range h.skills {
		before[skill] = v.value(skill)
	}
	for _, res := range w.sync().Results {
		now, foreign := v.value(res.Skill), h.foreign(res.Skill)
		switch {
		case foreign && (res.Reason != "foreign" || now != before[res.Skill]):
			t.Errorf("%+v is foreign, and was %s: now %s", res, before[res.Skill], now)
		case !foreign && (res.Reason != "" || pairIn(now) != w.amazon.pair(res.Skill)):
			t.Errorf("%+v holds %s", res, now)
		}
	}
	w.verifyAudit()
	t.Logf("seed %d: %d passes, %d deeds; compared %d versions, of which the hand's %d were repaired and %d passed for ours until the next look; %d writes met a foreign mark, each a conflict on record",
		seed(), passes[0]+passes[1], h.deeds, h.compared, h.repaired, h.passed, h.trespasses)
}

// keepOn makes passes until ctx ends, and returns how many. A pass is not killed.
func (w *world) keepOn(ctx context.Context, config string) (n int) {
	for ; ctx.Err() == nil; n++ {
		cmd := exec.CommandContext(context.WithoutCancel(ctx), program(w.T, "credsync"), "-c", config, "sync", "-o", "json")
		cmd.Dir, cmd.Env = w.dir, w.env
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if _ = cmd.Run(); cmd.ProcessState.ExitCode() == 2 || strings.Contains(stderr.String(), "panic") {
			w.Errorf("credsync sync: exit code %d\n%s", cmd.ProcessState.ExitCode(), tail(stderr.String()))
			return n
		}
	}
	return n
}

// A hand is somebody with root's token and no respect for marks.
type hand struct {
	*world
	vault  *vault
	rand   *rand.Rand
	skills []string
	said   map[string][]pair    // by skill, all that Amazon ever said
	marks  map[string][]marking // by skill, in order
	twins  map[string][]marking // by skill: made anew under our mark
	past   []version            // secret by secret, in order
	deeds  int

	compared, repaired, trespasses, passed int
}

// A marking is a time in which the hand may have changed whose a secret is, and
// whether it was foreign then.
type marking struct {
	from, to time.Time
	foreign  bool
}

func newHand(w *world, v *vault) *hand {
	h := &hand{
		world: w, vault: v, rand: rand.New(rand.NewPCG(seed(), 0)), skills: w.amazon.skills(),
		said: make(map[string][]pair), marks: make(map[string][]marking), twins: make(map[string][]marking),
	}
	for _, skill := range h.skills {
		h.said[skill] = []pair{w.amazon.pair(skill)}
	}
	return h
}

// act does one thing to one secret, or lets Amazon rotate.
func (h *hand) act() {
	h.Helper()
	h.deeds++
	skill := h.skills[h.rand.IntN(len(h.skills))]
	data, meta := "secret/data/"+secretName(skill), "secret/metadata/"+secretName(skill)
	custom := h.vault.metadata(skill).Custom
	own := map[string]any{"data": map[string]string{"client_id": fmt.Sprint("by hand ", h.deeds), "client_secret": "by hand"}}
	mark := func(method string, pairs any) {
		h.vault.ask(method, meta, map[string]any{"custom_metadata": pairs}).may(h.T, nil)
	}
	from := time.Now()
	switch deed := h.rand.IntN(20); {
	case deed < 6:
		h.vault.must("POST", data, own, nil)
	case deed < 8:
		h.vault.must("DELETE", data, nil, nil)
	case deed < 9:
		h.vault.must("POST", "secret/undelete/"+secretName(skill), map[string]any{"versions": []int{h.vault.versions(skill)}}, nil)
	case deed < 10: // made anew under our mark
		h.remember(skill)
		h.vault.must("DELETE", meta, nil, nil)
		h.vault.must("POST", data, own, nil)
		mark("POST", custom)
		h.twins[skill] = append(h.twins[skill], marking{from: from, to: time.Now()})
	case deed < 11: // made anew without it
		h.remember(skill)
		h.vault.must("DELETE", meta, nil, nil)
		h.vault.must("POST", data, own, nil)
	case deed < 12:
		mark("POST", map[string]string{"team": "voice"})
	case deed < 13:
		mark("PATCH", map[string]string{"credsync_owner": "another"})
	case deed < 16: // the operator adopts it
		mark("PATCH", map[string]string{"credsync_owner": instance, "credsync_skill": skill})
	default:
		for _, skill := range h.amazon.rotate(1) {
			h.said[skill] = append(h.said[skill], h.amazon.pair(skill))
		}
		return
	}
	h.marks[skill] = append(h.marks[skill], marking{from, time.Now(), h.foreign(skill)})
}

// foreign reports whether a secret is not ours now.
func (h *hand) foreign(skill string) bool {
	m := h.vault.metadata(skill)
	return m.Current > 0 && (m.Custom["credsync_owner"] != instance || m.Custom["credsync_skill"] != skill)
}

// A version is one that Vault remembers of a secret.
type version struct {
	skill   string
	number  int
	created time.Time
	pair    pair
}

// remember keeps what Vault remembers of a secret.
func (h *hand) remember(skill string) {
	h.Helper()
	var past struct {
		Data struct {
			Versions map[string]struct {
				Created time.Time `json:"created_time"`
			}
		}
	}
	h.vault.ask("GET", "secret/metadata/"+secretName(skill), nil).may(h.T, &past)
	for n := 1; n <= len(past.Data.Versions); n++ {
		h.past = append(h.past, version{skill, n, past.Data.Versions[fmt.Sprint(n)].Created, h.version(skill, n)})
	}
}

// compare holds the versions of all secrets that ever were against the audit
// trail.
func (h *hand) compare() {
	h.Helper()
	for _, skill := range h.skills {
		h.remember(skill)
	}
	records := make(map[string][]record)
	for _, r := range h.records() {
		records[r.Name] = append(records[r.Name], r)
	}
	for i, v := range h.past {
		if !byTheHand(v.pair) {
			h.compared++
			var before *version // where it is the hand's
			if v.number > 1 && byTheHand(h.past[i-1].pair) {
				before = &h.past[i-1]
			}
			h.compareVersion(v, before, records[secretName(v.skill)])
		}
	}
}

func byTheHand(p pair) bool { return strings.HasPrefix(p.ClientID, "by hand") }

// version returns what a version of a secret held; it is undeleted for that.
func (h *hand) version(skill string, n int) pair {
	h.Helper()
	var answer struct {
		Data struct{ Data json.RawMessage }
	}
	get := h.vault.ask("GET", fmt.Sprintf("secret/data/%s?version=%d", secretName(skill), n), nil)
	if get.may(h.T, &answer); len(answer.Data.Data) < len(`null`)+1 {
		h.vault.must("POST", "secret/undelete/"+secretName(skill), map[string]any{"versions": []int{n}}, nil)
		get.must(h.T, &answer)
	}
	return pairIn(string(answer.Data.Data))
}

// compareVersion wants a version of ours to be a pair of its skill and to be on
// record, as what it was.
func (h *hand) compareVersion(v version, before *version, records []record) {
	h.Helper()
	if !slices.Contains(h.said[v.skill], v.pair) {
		h.Errorf("%+v is what Amazon never said", v)
	}
	intent, outcome := around(records, v)
	if intent.Event == "" {
		h.Errorf("%+v is not on record: %+v", v, records)
		return
	}
	switch {
	case before == nil:
	case intent.Action == "repair" || outcome.Reason == "conflict":
		h.repaired++
	case h.isTwin(*before):
		h.passed++
	default:
		h.Errorf("the hand's value before %+v went by %+v", v, intent)
	}
	if v.number > 1 && h.wasForeign(v.skill, v.created) {
		h.trespasses++
		if outcome.Reason != "conflict" {
			h.Errorf("what was before %+v was foreign and went by %+v", v, outcome)
		}
	}
}

// isTwin reports whether the hand made v under a copy of our mark: that passes for
// what a look saw before.
func (h *hand) isTwin(v version) bool {
	return slices.ContainsFunc(h.twins[v.skill], func(m marking) bool { return !v.created.Before(m.from) && !v.created.After(m.to) })
}

// around returns the intent to write v, and its outcome.
func around(records []record, v version) (intent, outcome record) {
	prev := ""
	if v.number > 1 {
		prev = fmt.Sprint(v.number - 1)
	}
	for i, r := range records {
		if r.Event != "write.intent" || r.Prev != prev || r.Time.After(v.created.Add(slack)) {
			continue
		}
		for _, end := range records[i:] {
			if end.Event == "write.outcome" && end.Run == r.Run && end.Prev == prev {
				if end.Time.After(v.created.Add(-slack)) {
					return r, end
				}
				break
			}
		}
	}
	return record{}, record{}
}

// slack is for the milliseconds of the audit trail's clock.
const slack = 2 * time.Millisecond

// wasForeign reports whether a secret was certainly foreign at a time.
func (h *hand) wasForeign(skill string, at time.Time) (foreign bool) {
	for _, m := range h.marks[skill] {
		if m.from.After(at) {
			break
		}
		foreign = m.foreign && m.to.Before(at)
	}
	return foreign
}

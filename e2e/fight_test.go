package e2e

import (
	"maps"
	"strings"
	"testing"
	"time"
)

func TestATokenThatCantPatchMakesNoVersionPerRun(t *testing.T) {
	w := newWorld(t, 2)
	v := w.withVault()
	w.wantSync(0, map[string]int{"created": 2})
	w.stores[0].alter(w.amazon.skills()[0])
	w.write("vault-token", v.token(strings.ReplaceAll(w.policy("vault"), `, "patch"`, "")))
	before := w.versions()
	for range 5 {
		r := w.wantSync(3, map[string]int{"failed": 1, "unchanged": 1})
		w.wantReason(r, "vault", "denied")
		if text := r.troubles()[0].Error; !strings.Contains(text, "patch") {
			t.Errorf("the cure is not named: %s", text)
		}
	}
	w.wantVersions(before)

	// An update finds that out by the version that it made, and the next run by none.
	w.amazon.rotate(2)
	w.job["max_changes"] = "100%"
	for range 5 {
		r := w.wantSync(1, map[string]int{"failed": 2})
		w.wantReason(r, "vault", "denied")
	}
	after := w.versions()
	for name, n := range before {
		if after[name] > n+1 {
			t.Errorf("%s: %d versions before five runs that can't patch, %d after", name, n, after[name])
		}
	}
	w.write("vault-token", v.token(w.policy("vault")))
	w.wantSync(0, map[string]int{"repaired": 2})
	w.holds()
}

func TestAPairThatComesBackIsStoredAgainInAFile(t *testing.T) {
	w := newWorld(t, 1)
	w.withFiles("{skill_id}.json", nil)
	skill := w.amazon.skills()[0]
	a, b := w.amazon.pair(skill), w.amazon.pair(skill)
	b.ClientSecret = "amzn1.oa2-cs.v1." + strings.Repeat("b0", 32)
	w.wantSync(0, map[string]int{"created": 1})
	for _, p := range []pair{b, a, b, a} {
		w.amazon.set(skill, p)
		w.wantSync(0, map[string]int{"updated": 1})
		w.holds(folder{w})
		w.wantSync(0, map[string]int{"unchanged": 1})
	}
}

func TestASecretMadeAnewUnderACopyOfOurMarkIsNotOurValue(t *testing.T) {
	w := newWorld(t, 2)
	v := w.withVault()
	w.wantSync(0, map[string]int{"created": 2})
	skill := w.amazon.skills()[0]
	name, mark := "secret/metadata/"+secretName(skill), v.metadata(skill).Custom
	for _, value := range []any{byHand, w.amazon.pair(skill)} { // also where it is the right one
		v.must("DELETE", name, nil, nil)
		v.must("POST", "secret/data/"+secretName(skill), map[string]any{"data": value}, nil)
		v.must("POST", name, map[string]any{"custom_metadata": mark}, nil)
		if got := v.metadata(skill); got.Current != 1 || !maps.Equal(got.Custom, mark) {
			t.Errorf("the copy differs: %+v", got)
		}
		w.wantSync(0, map[string]int{"repaired": 1, "unchanged": 1})
		w.holds()
	}
}

func TestAPlanIsAcceptedOnce(t *testing.T) {
	w := newWorld(t, 12)
	w.withAWS() // there the versions come back with the values
	before, after := make(map[string]pair), make(map[string]pair)
	for _, skill := range w.amazon.skills() {
		before[skill] = w.amazon.pair(skill)
	}
	w.wantSync(0, map[string]int{"created": 12})
	for _, skill := range w.amazon.rotate(6) {
		after[skill] = w.amazon.pair(skill)
	}
	there := w.wantSync(4, map[string]int{"refused": 6, "unchanged": 6})
	w.want(w.sync("--accept-plan", there.Plan), 0, map[string]int{"updated": 6, "unchanged": 6})
	for skill := range after {
		w.amazon.set(skill, before[skill])
	}
	back := w.wantSync(4, map[string]int{"refused": 6, "unchanged": 6})
	w.want(w.sync("--accept-plan", back.Plan), 0, map[string]int{"updated": 6, "unchanged": 6})
	for skill, p := range after {
		w.amazon.set(skill, p)
	}
	again := w.sync("--accept-plan", there.Plan)
	w.want(again, 4, map[string]int{"refused": 6, "unchanged": 6})
	if again.Plan != there.Plan {
		t.Errorf("the same updates are plan %s and then plan %s", there.Plan, again.Plan)
	}
}

// TestTwoFightingWritersEndInAConflict lets a hand alter a secret whenever the
// daemon has repaired it. Eight runs take as many minutes; a sample sees the
// daemon start only.
//
//	CREDSYNC_TEST_FULL=1 ./e2e/run -run FightingWriters -v
func TestTwoFightingWritersEndInAConflict(t *testing.T) {
	if size(0, 1) == 0 {
		t.Skip("eight minutes; CREDSYNC_TEST_FULL=1 takes them")
	}
	w := newWorld(t, 1)
	v := w.withVault()
	w.job["on_start"] = true
	w.wantSync(0, map[string]int{"created": 1})
	skill := w.amazon.skills()[0]
	v.alter(skill)
	d := w.daemon()
	for begun := w.finished(); w.finished() < begun+8; {
		if pairIn(v.value(skill)) == w.amazon.pair(skill) {
			v.alter(skill)
		}
		now := w.finished()
		until(t, 2*time.Minute, "the daemon's next run", func() bool { return w.finished() > now })
	}
	d.stop()
	if got := v.versions(skill); got != 8 { // one, and three times the hand's and ours, and the hand's last
		t.Errorf("%d versions after eight runs", got)
	}
	if !strings.Contains(d.out.String(), "left alone") {
		t.Errorf("nobody is told:\n%s", tail(d.out.String()))
	}
}

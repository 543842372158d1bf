package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const many = 200

func TestAFirstRunFillsEverySinkAndASecondWritesNothing(t *testing.T) {
	w := newWorld(t, many)
	v, a := w.withVault(), w.withAWS()
	w.job["max_changes"] = "100%"

	_, mark := v.requests(0)
	fill := w.wantSync(0, map[string]int{"created": 2 * many})
	filled, _ := v.requests(mark)
	filledAWS := a.took()
	w.holds()
	w.marked(v, a)

	before := w.versions()
	_, mark = v.requests(0)
	idle := w.wantSync(0, map[string]int{"unchanged": 2 * many})
	seen, _ := v.requests(mark)
	seenAWS := a.took()
	w.wantVersions(before)
	for _, r := range seen {
		if strings.HasPrefix(r.Request.Path, "secret/data/") {
			t.Errorf("an unchanged run asked Vault for %s of %s", r.Request.Operation, r.Request.Path)
		}
	}
	if n := counts(seen); n["read metadata"] != many {
		t.Errorf("Vault's metadata were read %d times for %d skills", n["read metadata"], many)
	}
	if n := total(seenAWS); n > many/50 {
		t.Errorf("AWS was called %d times for %d skills: %v", n, many, seenAWS)
	}

	rotated := w.amazon.rotate(3)
	_, mark = v.requests(0)
	w.wantSync(0, map[string]int{"updated": 6, "unchanged": 2*many - 6})
	renewed, _ := v.requests(mark)
	renewedAWS := a.took()
	w.wantVersions(before, rotated...)
	w.holds()

	t.Logf("requests for %d skills:", many)
	for _, row := range []struct {
		what  string
		vault []vaultRequest
		aws   map[string]int
	}{{"first fill", filled, filledAWS}, {"nothing changed", seen, seenAWS}, {"3 rotated", renewed, renewedAWS}} {
		t.Logf("%-16s Vault %4d %v", row.what, len(row.vault), table(counts(row.vault)))
		t.Logf("%-16s AWS   %4d %v", "", total(row.aws), table(row.aws))
	}
	t.Logf("first fill: %s; nothing changed: %s", fill.took, idle.took)
}

// marked checks that whose a secret is stands beside it, and where credsync looks
// for it.
func (w *world) marked(v *vault, a *aws) {
	w.Helper()
	for _, skill := range w.amazon.skills() {
		custom := v.metadata(skill).Custom
		if custom["credsync_owner"] != instance || custom["credsync_skill"] != skill || custom["credsync_version"] != "1" {
			w.Errorf("Vault's metadata of %s: %v", skill, custom)
		}
		d := a.describe(skill)
		tags := maps.Clone(d.Tags)
		delete(tags, "credsync:key")
		want := map[string]string{"credsync:owner": instance, "credsync:skill": skill, "team": "voice"}
		if diff := cmp.Diff(want, tags); diff != "" {
			w.Errorf("AWS's tags of %s (-want +got):\n%s", skill, diff)
		}
		if got := custom["credsync_fingerprint"]; len(got) != 64 || current(d.Stages) == got {
			w.Errorf("%s: one fingerprint in two places: %s", skill, got)
		}
	}
}

func total(n map[string]int) (sum int) {
	for _, k := range n {
		sum += k
	}
	return sum
}

func table(n map[string]int) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(n)) {
		fmt.Fprintf(&b, "%s %d  ", k, n[k])
	}
	return b.String()
}

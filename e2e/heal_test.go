package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatWasAlteredByHandIsRepaired(t *testing.T) {
	w := newWorld(t, 4)
	v := w.withVault()
	w.withAWS()
	w.wantSync(0, map[string]int{"created": 8})
	skills := w.amazon.skills()
	for _, s := range w.stores {
		s.alter(skills[1])
	}
	w.wantSync(0, map[string]int{"repaired": 2, "unchanged": 6})
	w.holds()
	w.wantSync(0, map[string]int{"unchanged": 8})

	// Also where the hand put the right value: it is no version of ours.
	right := map[string]any{"data": w.amazon.pair(skills[2])}
	v.must("POST", "secret/data/"+secretName(skills[2]), right, nil)
	w.wantSync(0, map[string]int{"repaired": 1, "unchanged": 7})
	w.wantSync(0, map[string]int{"unchanged": 8})

	// And a mark that was copied to a new secret says nothing about its version 1.
	name := "secret/metadata/" + secretName(skills[3])
	mark := v.metadata(skills[3]).Custom
	v.must("DELETE", name, nil, nil)
	v.alter(skills[3])
	v.must("PATCH", name, map[string]any{"custom_metadata": mark}, nil)
	w.wantSync(0, map[string]int{"repaired": 1, "unchanged": 7})
	w.holds()
}

func TestWhatWasDeletedIsBroughtBack(t *testing.T) {
	w := newWorld(t, 3)
	w.withVault()
	a := w.withAWS()
	w.wantSync(0, map[string]int{"created": 6})
	deleted := w.amazon.skills()[0]
	for _, s := range w.stores {
		s.remove(deleted)
	}
	w.wantSync(0, map[string]int{"repaired": 2, "unchanged": 4})
	w.holds()
	if n := a.took()["RestoreSecret"]; n != 1 {
		t.Errorf("RestoreSecret was called %d times, want once", n)
	}
	w.wantSync(0, map[string]int{"unchanged": 6})
}

func TestWhatOthersOwnIsRefusedAndStaysAsItIs(t *testing.T) {
	w := newWorld(t, 5)
	v, a := w.withVault(), w.withAWS()
	skills := w.amazon.skills()
	unmarked, another := skills[0], skills[1]
	for _, s := range w.stores {
		s.foreign(unmarked, "")
		s.foreign(another, "e2e2") // a mark that begins like ours
	}
	snapshot := func() string {
		var all []any
		for _, skill := range []string{unmarked, another} {
			var secret, meta map[string]any
			v.must("GET", "secret/data/"+secretName(skill), nil, &secret)
			v.must("GET", "secret/metadata/"+secretName(skill), nil, &meta)
			all = append(all, secret["data"], meta["data"], a.value(skill), a.describe(skill))
		}
		return encode(t, all)
	}
	before := snapshot()
	w.wantSync(3, map[string]int{"created": 6, "refused": 4})
	w.amazon.rotate(5)
	w.job["max_changes"] = "100%"
	r := w.wantSync(3, map[string]int{"updated": 6, "refused": 4})
	if after := snapshot(); after != before {
		t.Errorf("what others own was touched:\nbefore %s\nafter  %s", before, after)
	}
	for _, res := range r.troubles() {
		if res.Reason != "foreign" || res.Skill != unmarked && res.Skill != another {
			t.Errorf("%+v", res)
		}
	}
}

func TestAnotherSkillsSecretIsNotOverwritten(t *testing.T) {
	w := newWorld(t, 2)
	w.withVault()
	w.withAWS()
	w.wantSync(0, map[string]int{"created": 4})
	// The list is edited so that each skill renders to the other's name.
	skills := w.amazon.skills()
	w.write("skills.txt", skills[0]+" "+skills[1]+"\n"+skills[1]+" "+skills[0]+"\n")
	w.vaultSink()["path"] = "alexa/{label}"
	w.sinks["aws"]["aws_secrets_manager"].(settings)["name"] = "alexa/{label}"
	w.wantSync(1, map[string]int{"refused": 4})
	w.holds()
}

func TestSecretsMadeByHandAreAdopted(t *testing.T) {
	w := newWorld(t, 3)
	w.withVault()
	w.withAWS()
	skills := w.amazon.skills()
	for _, s := range w.stores {
		s.alter(skills[0]) // before credsync ever ran
		s.foreign(skills[1], "retired")
	}
	w.wantSync(3, map[string]int{"created": 2, "refused": 4})
	for _, s := range w.stores {
		before := s.value(skills[0])
		if r := w.credsync("adopt", "--sink", s.sink(), "--all", "--dry-run"); r.code != 0 {
			t.Errorf("adopt --dry-run: exit code %d\n%s", r.code, r.stderr)
		}
		if r := w.credsync("adopt", "--sink", s.sink(), "--all"); r.code != 0 {
			t.Errorf("adopt: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
		}
		if s.value(skills[0]) != before {
			t.Errorf("%s: adopt changed the value", s.sink())
		}
	}
	w.wantSync(0, map[string]int{"repaired": 4, "unchanged": 2})
	w.holds()
	w.wantSync(0, map[string]int{"unchanged": 6})
	w.verifyAudit()
}

func TestAPairThatComesBackIsStoredAgain(t *testing.T) {
	w := newWorld(t, 1)
	w.withVault()
	w.withAWS()
	skill := w.amazon.skills()[0]
	a, b := w.amazon.pair(skill), w.amazon.pair(skill)
	b.ClientSecret = "amzn1.oa2-cs.v1." + "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0"
	w.wantSync(0, map[string]int{"created": 2})
	for _, p := range []pair{b, a, b, a} {
		w.amazon.set(skill, p)
		w.wantSync(0, map[string]int{"updated": 2})
		if got := w.holds()[skill]; got != p {
			t.Errorf("Amazon says %v, want %v", got, p)
		}
		w.wantSync(0, map[string]int{"unchanged": 2})
	}
}

// verifyAudit wants the chain of the audit file to hold.
func (w *world) verifyAudit() {
	w.Helper()
	if r := w.credsync("audit", "verify", "audit.jsonl"); r.code != 0 {
		w.Errorf("audit verify: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func TestWhatLeftTheListIsReportedAndStays(t *testing.T) {
	w := newWorld(t, 3)
	w.withVault()
	w.withAWS()
	w.wantSync(0, map[string]int{"created": 6})
	skills := w.amazon.skills()
	w.write("skills.txt", skills[0]+"\n"+skills[2]+"\n")
	r := w.wantSync(0, map[string]int{"unchanged": 4})
	want := []orphan{{"aws", secretName(skills[1]), skills[1]}, {"vault", secretName(skills[1]), skills[1]}}
	if diff := cmp.Diff(want, r.Orphans); diff != "" {
		t.Errorf("orphans (-want +got):\n%s", diff)
	}
	w.holds()
}

package e2e

import (
	"strings"
	"testing"
)

func TestWhatHappensInVaultBetweenLookAndWriteIsSeen(t *testing.T) {
	w := newWorld(t, 1)
	v := w.withVault()
	w.wantSync(0, map[string]int{"created": 1})
	skill := w.amazon.rotate(1)[0]
	w.gateVault(v).before["POST data"] = func() { v.alter(skill) }

	w.wantSync(0, map[string]int{"updated": 1})
	w.holds()
	w.wantConflict()
	if n := v.versions(skill); n != 3 {
		t.Errorf("%d versions, want ours, the hand's, and ours", n)
	}
}

func TestWhatHappensInAWSBetweenLookAndWriteIsSeen(t *testing.T) {
	w := newWorld(t, 1)
	a := w.withAWS()
	w.wantSync(0, map[string]int{"created": 1})

	// Somebody changes the value.
	skill := w.amazon.rotate(1)[0]
	a.before["UpdateSecretVersionStage"] = func() { a.alter(skill) }
	w.wantSync(0, map[string]int{"updated": 1})
	w.holds()
	w.wantConflict()

	// Somebody puts a secret of their own in place of ours.
	w.amazon.rotate(1)
	var theirs string
	a.before["PutSecretValue"] = func() {
		a.must("DeleteSecret", settings{"SecretId": secretName(skill), "ForceDeleteWithoutRecovery": true})
		a.foreign(skill, "")
		theirs = a.value(skill)
	}
	w.wantSync(1, map[string]int{"refused": 1})
	if got := a.value(skill); got != theirs || theirs == "" {
		t.Errorf("the secret of others holds %s, want %s", got, theirs)
	}
}

// wantConflict wants the audit trail to tell of a write that came too late.
func (w *world) wantConflict() {
	w.Helper()
	if !strings.Contains(w.read("audit.jsonl"), `"reason":"conflict"`) {
		w.Error("the audit trail tells of no conflict")
	}
	w.verifyAudit()
}

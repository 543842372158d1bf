package e2e

import (
	"strings"
	"testing"
)

func TestANewPairIsProvenOnceHoweverManySinksWantIt(t *testing.T) {
	w := newWorld(t, 5)
	w.withFiles("{skill_id}.json", nil)
	holders := []holder{w.withVault(), w.withAWS(), folder{w}}
	proofs := func(want int, outcomes map[string]int) {
		t.Helper()
		w.amazon.forget()
		w.wantSync(0, outcomes)
		if n := w.amazon.asked("verify"); n != want {
			t.Errorf("Login with Amazon was asked for %d proofs, want %d", n, want)
		}
		if n := w.amazon.asked("credentials"); n != 5 {
			t.Errorf("Amazon was asked for %d pairs, want 5", n)
		}
	}
	proofs(5, map[string]int{"created": 15})
	proofs(0, map[string]int{"unchanged": 15})
	w.amazon.rotate(2)
	proofs(2, map[string]int{"updated": 6, "unchanged": 9})
	w.stores[0].alter(w.amazon.skills()[4]) // one sink alone lacks it
	proofs(1, map[string]int{"repaired": 1, "unchanged": 14})
	w.holds(holders...)

	w.source["verify"] = false
	w.amazon.rotate(1)
	proofs(0, map[string]int{"updated": 3, "unchanged": 12})
}

func TestOnlyAClearNoKeepsAPairFromBeingPublished(t *testing.T) {
	w := newWorld(t, 1)
	v := w.withVault()
	w.wantSync(0, map[string]int{"created": 1})
	skill := w.amazon.skills()[0]
	for what, fault := range map[string]map[string]any{
		"400":               {"status": 400},
		"401 without a why": {"status": 401, "body": "html"},
		"403":               {"status": 403},
		"429":               {"status": 429, "count": 3},
		"500":               {"status": 500},
		"503":               {"status": 503},
		"reset":             {"delivery": "reset"},
		"cut":               {"delivery": "cut"},
		"garbage":           {"body": "html"},
		"no token":          {"body": "empty"},
		"null":              {"body": "null"},
	} {
		old := w.amazon.pair(skill)
		w.amazon.rotate(1)
		fault["operation"] = "verify"
		if fault["count"] == nil {
			fault["count"] = -1
		}
		w.amazon.fault(fault)
		r := w.wantSync(0, map[string]int{"updated": 1})
		if !strings.Contains(r.stderr, "could not be proven") {
			t.Errorf("%s: published without a word:\n%s", what, tail(r.stderr))
		}
		w.amazon.control("DELETE", "faults", nil, nil)
		if w.holds()[skill] == old {
			t.Errorf("%s: nothing was rotated", what)
		}
	}

	good := v.value(skill)
	before := w.versions()
	w.amazon.rotate(1)
	w.amazon.fault(map[string]any{"operation": "verify", "status": 401, "code": "invalid_client", "count": -1})
	w.amazon.forget()
	r := w.wantSync(1, map[string]int{"failed": 1})
	w.wantReason(r, "vault", "rejected")
	if n := w.amazon.asked("verify"); n != 1 {
		t.Errorf("a clear no was asked for %d times", n)
	}
	w.wantVersions(before)
	if v.value(skill) != good {
		t.Error("the good value is gone")
	}
}

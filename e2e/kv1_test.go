package e2e

import (
	"encoding/json"
	"maps"
	"testing"
)

// A kv1 is a Vault seen through a mount of KV version 1.
type kv1 struct{ *vault }

func (k kv1) value(skill string) string {
	k.Helper()
	var answer struct{ Data json.RawMessage }
	k.ask("GET", "old/"+secretName(skill), nil).may(k.T, &answer)
	return string(answer.Data)
}

// change sets members of a secret beside those that are there.
func (k kv1) change(skill string, members map[string]string) {
	k.Helper()
	all := make(map[string]string)
	if value := k.value(skill); value != "" {
		decode(k.T, []byte(value), &all)
	}
	maps.Copy(all, members)
	k.must("PUT", "old/"+secretName(skill), all, nil)
}

func (k kv1) alter(skill string) { k.Helper(); k.change(skill, byHand) }

// remove alters: in version 1 there is no way back.
func (k kv1) remove(skill string) { k.Helper(); k.alter(skill) }

func (k kv1) foreign(skill, _ string) { k.Helper(); k.alter(skill) }

func TestKVVersion1WorksToo(t *testing.T) {
	w := newWorld(t, 12)
	v := w.withVault()
	k := kv1{v}
	v.must("POST", "sys/mounts/old", settings{"type": "kv", "options": settings{"version": "1"}}, nil)
	w.vaultSink()["mount"], w.vaultSink()["version"] = "old", 1
	w.write("vault-token", v.token(w.policy("vault")))
	skills := w.amazon.skills()
	k.change(skills[0], byHand)
	k.change(skills[1], map[string]string{"credsync_owner": "another", "credsync_skill": skills[1]})
	foreign := k.value(skills[0]) + k.value(skills[1])

	w.wantSync(3, map[string]int{"created": 10, "refused": 2})
	w.wantSync(3, map[string]int{"unchanged": 10, "refused": 2})
	rotated := w.amazon.rotate(4)[2:] // the first two are not ours
	w.wantSync(3, map[string]int{"updated": 2, "unchanged": 8, "refused": 2})
	k.change(skills[7], byHand)
	w.wantSync(3, map[string]int{"repaired": 1, "unchanged": 9, "refused": 2})
	w.wantSync(3, map[string]int{"unchanged": 10, "refused": 2})
	for _, skill := range append(rotated, skills[4:]...) {
		if pairIn(k.value(skill)) != w.amazon.pair(skill) {
			t.Errorf("Vault does not hold what Amazon says of %s", skill)
		}
	}
	if k.value(skills[0])+k.value(skills[1]) != foreign {
		t.Error("what others own was touched")
	}
	if r := w.credsync("adopt", "--sink", "vault", "--all"); r.code != 0 {
		t.Errorf("adopt: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	w.wantSync(0, map[string]int{"repaired": 2, "unchanged": 10})
	w.wantSync(0, map[string]int{"unchanged": 12})
	w.holds(k)
}

package e2e

import (
	"maps"
	"slices"
	"testing"
)

func TestTheLeastRightsAreEnough(t *testing.T) {
	w := newWorld(t, 12)
	v, a := w.withVault(), w.withAWS()
	w.env = append(w.env, a.user(w.iamPolicy("aws").actions()...)...)
	skills := w.amazon.skills()
	for _, s := range w.stores {
		s.foreign(skills[0], "")
	}
	pass := func(code int, outcomes map[string]int) {
		t.Helper()
		a.enforced(func() { w.wantSync(code, outcomes) })
	}
	pass(3, map[string]int{"created": 22, "refused": 2})
	a.enforced(func() {
		for _, s := range w.stores {
			if r := w.credsync("adopt", "--sink", s.sink(), skills[0]); r.code != 0 {
				t.Errorf("adopt in %s: exit code %d\n%s%s", s.sink(), r.code, r.stdout, r.stderr)
			}
		}
	})
	pass(0, map[string]int{"repaired": 2, "unchanged": 22})
	w.amazon.rotate(2)
	pass(0, map[string]int{"updated": 4, "unchanged": 20})
	for _, s := range w.stores {
		s.alter(skills[5])
		s.remove(skills[6])
	}
	pass(0, map[string]int{"repaired": 4, "unchanged": 20})
	pass(0, map[string]int{"unchanged": 24})
	w.holds()
	a.enforced(func() {
		if r := w.credsync("check", "--online"); r.code != 0 {
			t.Errorf("check --online: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
		}
	})
	requests, _ := v.requests(0)
	for what, n := range counts(requests) {
		if what == "update metadata" {
			t.Errorf("Vault's metadata were replaced %d times", n)
		}
	}
}

func TestWrongKeysAreDeniedAndTheOtherSinkIsServed(t *testing.T) {
	w := newWorld(t, 3)
	v, a := w.withVault(), w.withAWS()
	good := w.read("vault-token")
	all := w.env

	w.write("vault-token", "hvs.wrong")
	r := w.wantSync(3, map[string]int{"created": 3, "failed": 3})
	w.wantReason(r, "vault", "denied")
	w.holds(a)

	w.write("vault-token", good)
	for name, env := range map[string][]string{
		"an unknown key":   {"AWS_ACCESS_KEY_ID=AKIAUNKNOWN", "AWS_SECRET_ACCESS_KEY=unknown"},
		"a wrong secret":   append(a.user("secretsmanager:ListSecrets", "secretsmanager:DescribeSecret")[:1], "AWS_SECRET_ACCESS_KEY=wrong"),
		"no keys anywhere": {"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="},
	} {
		w.env = append(slices.Clip(all), env...)
		a.enforced(func() { r = w.sync() })
		if r.code != 3 || r.Outcomes["failed"] != 3 {
			t.Errorf("%s: exit code %d, outcomes %v", name, r.code, r.Outcomes)
		}
		w.wantReason(r, "aws", "denied")
	}
	w.holds(v)

	w.env = all
	w.wantSync(0, map[string]int{"unchanged": 6})
}

// wantReason wants whatever failed to have failed in sink, for this reason, with
// a text that says something.
func (w *world) wantReason(r report, sink, reason string) {
	w.Helper()
	for _, res := range r.troubles() {
		if res.Sink != sink || res.Reason != reason || res.Error == "" {
			w.Errorf("%+v, want reason %s in %s", res, reason, sink)
		}
	}
	if len(r.troubles()) > 0 {
		w.Logf("%s: %s", reason, r.troubles()[0].Error)
	}
}

func TestAWrongPlaceInVaultIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	w := newWorld(t, 2)
	v := w.withVault()
	v.must("POST", "sys/mounts/old", map[string]any{"type": "kv", "options": map[string]string{"version": "1"}}, nil)
	w.write("vault-token", v.root) // no policy helps
	plain := w.vaultSink()
	for name, wrong := range map[string]settings{
		"a mount that is not there":          {"mount": "nope"},
		"version 2 set, the mount is of 1":   {"mount": "old"},
		"version 1 set, the mount is of 2":   {"version": 1},
		"a namespace on the open-source one": {"namespace": "team"},
	} {
		t.Log(name)
		sink := maps.Clone(plain)
		maps.Copy(sink, wrong)
		w.sinks["vault"] = settings{"vault_kv": sink}
		_, mark := v.requests(0)
		r := w.wantSync(1, map[string]int{"failed": 2})
		w.wantReason(r, "vault", "invalid")
		seen, _ := v.requests(mark)
		for _, q := range seen {
			if q.Request.Operation != "read" && q.Request.Operation != "list" {
				t.Errorf("%s: Vault was asked for %s of %s", name, q.Request.Operation, q.Request.Path)
			}
		}
	}
}

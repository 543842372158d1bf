package e2e

import (
	"strings"
	"testing"
	"time"
)

// TestEveryCommandKeepsItsSecrets makes credsync talk as much as it can, while
// much goes wrong, and looks through all that it said.
func TestEveryCommandKeepsItsSecrets(t *testing.T) {
	w := newWorld(t, 20)
	v := w.withVault()
	a := w.withAWS()
	w.withFiles("{skill_id}.json", nil)
	w.job["max_changes"] = "100%"
	skills := w.amazon.skills()
	said := scan{secrets: map[string]string{
		w.amazon.client.ClientSecret: "client secret", w.amazon.client.RefreshToken: "refresh token", w.read("vault-token"): "Vault token", awsSecret: "AWS secret key",
	}}
	collect := func() {
		for _, skill := range skills {
			p := w.amazon.pair(skill)
			said.secrets[p.ClientID], said.secrets[p.ClientSecret] = "ID of a skill", "secret of a skill"
		}
	}
	talk := func(args ...string) {
		t.Helper()
		r := w.credsync(append([]string{"--log-level", "debug"}, args...)...)
		said.look(strings.Join(args, " "), r.stdout+r.stderr)
	}

	collect()
	v.foreign(skills[0], "")
	a.foreign(skills[1], "another")
	talk("check", "--online")
	talk("plan")
	talk("sync", "-o", "json")
	for i, fault := range []map[string]any{
		{"body": "echo"},
		{"body": "echo", "status": 400},
		{"body": "echo", "status": 403},
		{"body": "half_pair"},
		{"status": 401},
		{"status": 500, "body": "echo"},
		{"delivery": "cut"},
		{"location": w.amazon.url + "/elsewhere", "status": 302},
	} {
		fault["operation"], fault["skill"], fault["count"] = "credentials", skills[2+i], -1
		w.amazon.fault(fault)
	}
	w.amazon.control("POST", "rotate?n=20", nil, nil)
	collect()
	w.amazon.fault(map[string]any{"operation": "verify", "skill": skills[12], "body": "echo", "status": 401, "count": 3})
	talk("sync", "-o", "table")
	talk("adopt", "--sink", "vault", "--all")
	w.job["on_start"] = true
	d := start(t, w.command(t.Context(), "--log-level", "debug", "run"))
	until(t, time.Minute, "the daemon makes a run", func() bool { return strings.Contains(d.out.String(), "brake refused updates") })
	d.stop()
	said.look("run", d.out.String())
	w.amazon.control("DELETE", "faults", nil, nil)
	talk("sync")
	w.amazon.fault(map[string]any{"operation": "token", "body": "echo", "status": 400, "count": -1})
	talk("sync")
	w.write("vault-token", "hvs.wrong-token-0123456789")
	said.secrets["hvs.wrong-token-0123456789"] = "wrong Vault token"
	w.amazon.control("DELETE", "faults", nil, nil)
	v.must("PUT", "sys/seal", nil, nil)
	a.server.kill()
	w.amazon.control("POST", "rotate?n=20", nil, nil)
	collect()
	talk("sync")
	talk("skills", "--source", "amazon")
	talk("audit", "verify", "audit.jsonl")

	said.look("the audit trail", w.read("audit.jsonl"))
	said.wantNothing(t)
	if said.size < 20<<10 {
		t.Errorf("only %d bytes were looked through", said.size)
	}
}

package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestNothingSecretIsEverSaid makes credsync talk as much as it can, while much
// goes wrong, and looks through all that it said.
func TestNothingSecretIsEverSaid(t *testing.T) {
	w := newWorld(t, 20)
	v := w.withVault()
	a := w.withAWS()
	w.withFiles("{skill_id}.json", nil)
	w.job["max_changes"] = "100%"
	skills := w.amazon.skills()
	secrets := []string{w.amazon.client.ClientSecret, w.amazon.client.RefreshToken, w.read("vault-token"), awsSecret}
	collect := func() {
		for _, skill := range skills {
			p := w.amazon.pair(skill)
			secrets = append(secrets, p.ClientID, p.ClientSecret)
		}
	}
	var said []string
	talk := func(args ...string) {
		t.Helper()
		r := w.credsync(append([]string{"--log-level", "debug"}, args...)...)
		said = append(said, r.stdout, r.stderr)
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
	said = append(said, d.out.String())
	w.amazon.control("DELETE", "faults", nil, nil)
	talk("sync")
	w.amazon.fault(map[string]any{"operation": "token", "body": "echo", "status": 400, "count": -1})
	talk("sync")
	w.write("vault-token", "hvs.wrong-token-0123456789")
	secrets = append(secrets, "hvs.wrong-token-0123456789")
	w.amazon.control("DELETE", "faults", nil, nil)
	v.must("PUT", "sys/seal", nil, nil)
	a.server.kill()
	w.amazon.control("POST", "rotate?n=20", nil, nil)
	collect()
	talk("sync")
	talk("skills", "--source", "amazon")
	talk("audit", "verify", "audit.jsonl")

	said = append(said, w.read("audit.jsonl"))
	wantUnsaid(t, secrets, said)
}

// wantUnsaid wants none of secrets to stand in any text, whatever way of writing
// it was chosen, and no token of Amazon's at all.
func wantUnsaid(t *testing.T, secrets, texts []string) {
	t.Helper()
	slices.Sort(secrets)
	secrets = slices.Compact(secrets)
	all := strings.Join(texts, "\n")
	for _, secret := range secrets {
		for _, form := range []string{
			secret, hex.EncodeToString([]byte(secret)), url.QueryEscape(secret),
			base64.RawStdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
		} {
			if i := strings.Index(all, form); i >= 0 {
				t.Errorf("a secret was said: %q", all[max(0, i-120):i+len(form)])
			}
		}
	}
	for _, prefix := range []string{"Atza|", "Atzr|", "Atc|", "hvs."} {
		if i := strings.Index(all, prefix); i >= 0 {
			t.Errorf("a token was said: %q", all[max(0, i-120):min(len(all), i+40)])
		}
	}
	if len(all) < 20<<10 {
		t.Errorf("only %d bytes were looked through", len(all))
	}
	t.Logf("looked for %d secrets in %d KiB", len(secrets), len(all)>>10)
}

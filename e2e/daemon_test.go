package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// daemon starts credsync run and waits until it is ready.
func (w *world) daemon() *process {
	w.Helper()
	p := start(w.T, w.command(w.Context(), "--log-format", "json", "run"))
	p.says(`"msg":"ready"`)
	return p
}

// stop ends a daemon as systemd does.
func (p *process) stop() {
	p.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.wait(10 * time.Second); code != 0 {
		p.Errorf("exit code %d after SIGTERM, want 0", code)
	}
}

// held reports whether every store holds at each skill's name what Amazon says.
func (w *world) held() bool {
	for _, skill := range w.amazon.skills() {
		p := w.amazon.pair(skill)
		for _, s := range w.stores {
			if pairIn(s.value(skill)) != p {
				return false
			}
		}
	}
	return true
}

func TestTheDaemonPicksARotationUp(t *testing.T) {
	w := newWorld(t, 6)
	w.withVault()
	w.withAWS()
	w.job["on_start"] = true
	w.job["max_changes"] = "100%"
	d := w.daemon()

	// By hand at the same time: both make the same secrets, and share the trail.
	for range 3 {
		if r := w.sync(); r.code != 0 {
			t.Errorf("sync beside the daemon: exit code %d, outcomes %v, %v", r.code, r.Outcomes, r.troubles())
		}
	}
	until(t, time.Minute, "the daemon fills the sinks", w.held)
	w.verifyAudit()

	w.amazon.rotate(2)
	rotated := time.Now()
	until(t, 75*time.Second, "the daemon picks a rotation up", w.held)
	t.Logf("a rotation was in both sinks after %s, under a schedule of every minute", time.Since(rotated).Round(time.Second))
	d.stop()
	w.verifyAudit()
	trail := w.read("audit.jsonl")
	for _, trigger := range []string{"start", "manual", "schedule"} {
		if !strings.Contains(trail, `"trigger":"`+trigger+`"`) {
			t.Errorf("the audit trail knows no run with trigger %s", trigger)
		}
	}
	w.wantSync(0, map[string]int{"unchanged": 12})
}

func TestTheDaemonEndsInOrderInTheMiddleOfARun(t *testing.T) {
	w := newWorld(t, many)
	w.withVault()
	w.withAWS()
	w.job["on_start"] = true
	d := w.daemon()
	until(t, time.Minute, "the first secret is written", func() bool { return strings.Contains(w.read("audit.jsonl"), "write.outcome") })
	d.stop()
	w.verifyAudit()
	trail := w.read("audit.jsonl")
	if intents, outcomes := strings.Count(trail, "write.intent"), strings.Count(trail, "write.outcome"); intents != outcomes {
		t.Errorf("%d writes were announced and %d were closed", intents, outcomes)
	}
	if r := w.sync(); r.code != 0 || r.Outcomes["created"]+r.Outcomes["unchanged"] != 2*many {
		t.Errorf("the next run: exit code %d, outcomes %v", r.code, r.Outcomes)
	}
	w.holds()
}

func TestTheDaemonHealsBeforeItsNextSlot(t *testing.T) {
	w := newWorld(t, 3)
	v, a := w.withVault(), w.withAWS()
	w.job["schedule"], w.job["on_start"] = "0 0 1 1 *", true // once a year
	v.must("PUT", "sys/seal", nil, nil)
	d := w.daemon()
	d.says(`"msg":"run finished short"`)
	w.holds(a)
	v.must("PUT", "sys/unseal", map[string]string{"key": v.unseal}, nil)
	begin := time.Now()
	until(t, 2*time.Minute, "the daemon tries again", w.held)
	t.Logf("healed %s after Vault was unsealed", time.Since(begin).Round(time.Second))
	d.stop()
	if !strings.Contains(w.read("audit.jsonl"), `"trigger":"heal"`) {
		t.Error("the audit trail knows no run that heals")
	}
	w.verifyAudit()
}

// withAppRole makes credsync log in to v by a role whose tokens live 10 s at most.
func (w *world) withAppRole(v *vault) {
	w.Helper()
	v.must("POST", "sys/auth/approle", settings{"type": "approle"}, nil)
	v.must("POST", "auth/approle/role/credsync", settings{"token_policies": "credsync", "token_ttl": "5s", "token_max_ttl": "10s"}, nil)
	var role, secret struct {
		Data struct {
			RoleID   string `json:"role_id"`
			SecretID string `json:"secret_id"`
		}
	}
	v.must("GET", "auth/approle/role/credsync/role-id", nil, &role)
	v.must("POST", "auth/approle/role/credsync/secret-id", nil, &secret)
	w.write("role-id", role.Data.RoleID)
	w.write("secret-id", secret.Data.SecretID+"\n")
	w.vaultSink()["auth"] = settings{"approle": settings{"role_id": file("role-id"), "secret_id": file("secret-id")}}
}

func TestShortLivedVaultTokensAreReplacedInTime(t *testing.T) {
	w := newWorld(t, 3)
	v := w.withVault()
	w.withAppRole(v)

	const login = "update auth/approle/login"
	_, mark := v.requests(0)
	w.wantSync(0, map[string]int{"created": 3})
	w.wantSync(0, map[string]int{"unchanged": 3})
	seen, mark := v.requests(mark)
	if n := counts(seen)[login]; n != 2 {
		t.Errorf("two runs logged in %d times, want once each", n)
	}

	d := w.daemon()
	w.amazon.rotate(1)
	w.job["max_changes"] = "100%"
	until(t, 75*time.Second, "the daemon picks a rotation up after its first tokens have expired", w.held)
	until(t, time.Minute, "the daemon outlives a token", func() bool {
		seen, _ = v.requests(mark)
		return counts(seen)[login] >= 3
	})
	d.stop()
	if strings.Contains(d.out.String(), `"level":"warn"`) || strings.Contains(d.out.String(), `"level":"error"`) {
		t.Errorf("the daemon was not content:\n%s", tail(d.out.String()))
	}
	w.holds()
}

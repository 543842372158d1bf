package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestATotalOutageCostsFewRequests has one server that is down: it refuses
// connections, or answers 503 to all. So does Login with Amazon in the first run,
// but only where pairs are proven.
func TestATotalOutageCostsFewRequests(t *testing.T) {
	skills := size(200, 1000)
	most := skills*11/10 + 10
	w := newWorld(t, skills)
	w.withFiles("{skill_id}.json", nil)
	w.amazon.fault(map[string]any{"operation": "verify", "status": 503, "count": -1})
	w.wantSync(0, map[string]int{"created": skills}) // unproven, and said so
	if n := w.amazon.asked("verify"); n > most || n == 0 {
		t.Errorf("Login with Amazon was asked for %d proofs, want %d at most", n, most)
	}
	t.Logf("%d skills, no proof to be had: %d requests", skills, w.amazon.asked("verify"))
	var asked atomic.Int32
	unwell := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		rw.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(unwell.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	w.write("vault-token", "hvs.any")
	well := w.source
	for kind, point := range map[string]func(url string){
		"lwa":   func(url string) { w.source["token_url"] = url + "/auth/o2/token" },
		"smapi": func(url string) { w.source["api_url"] = url },
		"vault_kv": func(url string) {
			w.sinks["down"] = settings{"vault_kv": settings{"address": url, "path": "alexa/{skill_id}", "auth": settings{"token": file("vault-token")}}}
		},
		"aws_secrets_manager": func(url string) {
			w.sinks["down"] = settings{"aws_secrets_manager": settings{"region": region, "name": "alexa/{skill_id}", "endpoint_url": url}}
		},
	} {
		for how, url := range map[string]string{"refuses": gone.URL, "answers 503": unwell.URL} {
			w.source = maps.Clone(well)
			asked.Store(0)
			point(url)
			code, want := 1, map[string]int{"failed": skills}
			if w.sinks["down"] != nil {
				code, want = 3, map[string]int{"failed": skills, "unchanged": skills}
			}
			r := w.wantSync(code, want)
			for _, res := range r.troubles() {
				if res.Reason != "unavailable" {
					t.Fatalf("%+v", res)
				}
			}
			if n := r.Requests[kind]; n > most || n == 0 || url == unwell.URL && n != int(asked.Load()) {
				t.Errorf("%s %s: credsync counted %d requests and the server %d, want %d at most", kind, how, n, asked.Load(), most)
			}
			t.Logf("%d skills, %s %s: %d requests in %s", skills, kind, how, r.Requests[kind], r.took.Round(100*time.Millisecond))
			delete(w.sinks, "down")
		}
	}
}

func TestTheDaemonSaysLoudlyThatItsTokenIsRevoked(t *testing.T) {
	w := newWorld(t, 30)
	w.withFiles("{skill_id}.json", nil)
	w.job["schedule"], w.job["on_start"] = "0 0 1 1 *", true // once a year
	w.amazon.control("POST", "tokens/revoke", nil, nil)
	w.amazon.forget()
	d := w.daemon()
	d.says(`"level":"error".*the refresh token is not accepted.*make a new one and put it where refresh_token points`)
	d.says(`"msg":"run finished short"`)
	d.says(`"msg":"waiting","job":"job","next":"\d{4}-01-01T00:00:00`) // and no try before
	d.stop()
	if n := w.amazon.asked("token"); n != 1 {
		t.Errorf("Login with Amazon was asked for a token %d times, want once", n)
	}
	if n := strings.Count(d.out.String(), `"level":"error"`); n != 1 {
		t.Errorf("%d errors were logged, want one", n)
	}
}

// A Vault that was sealed, and whose token is over meanwhile, is served again by
// the same daemon.
func TestTheDaemonOutlivesASealedVaultAndItsToken(t *testing.T) {
	w := newWorld(t, 3)
	v := w.withVault()
	w.withAppRole(v)
	w.job["on_start"], w.job["max_changes"] = true, "100%"
	d := w.daemon()
	until(t, time.Minute, "the daemon fills Vault", w.held)
	v.must("PUT", "sys/seal", nil, nil)
	sealed := time.Now()
	w.amazon.rotate(1)
	d.says(`"msg":"run finished short"`)
	const lifetime = 10 * time.Second
	until(t, 2*lifetime, "the token is over", func() bool { return time.Since(sealed) > lifetime })
	v.must("PUT", "sys/unseal", map[string]string{"key": v.unseal}, nil)
	begin := time.Now()
	until(t, 75*time.Second, "the daemon serves Vault again", w.held)
	t.Logf("sealed for %s; served %s after", begin.Sub(sealed).Round(time.Second), time.Since(begin).Round(time.Second))
	d.stop()
	w.verifyAudit()
}

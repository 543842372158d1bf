package e2e

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// facePaths are all that the daemon serves.
var facePaths = []string{"/healthz", "/readyz", "/metrics", "/api/status?limit=1000", "/api/status?outcome=x%00", "/", "/nothing"}

// TestTheFaceSaysNothingSecret runs the daemon among hostile peers, and looks for
// every secret in all that it serves and logs.
func TestTheFaceSaysNothingSecret(t *testing.T) {
	replies := slices.Concat(pages(), errorBodies(), falseAnswers(), brokenAnswers())
	s := newStage(t, 24, false)
	s.job["schedule"], s.job["on_start"] = "0 0 1 1 *", true // once a year
	s.more["http"] = settings{"listen": "127.0.0.1:0"}
	s.rotate()
	s.wantClean(s.run("sync", "-o", "json"))
	failed := 0
	for round := range size(3, 2*len(replies)/len(s.amazon.skills())) {
		s.rotate()
		for i, skill := range s.amazon.skills() {
			operations := slices.Concat(looking, writing)
			asked := operations[(i+round)%len(operations)] + " " + skill
			for _, h := range s.peers {
				h.arm(asked, replies[(round*len(s.amazon.skills())+i)%len(replies)])
			}
		}
		failed += s.faced(
			`credsync_requests_total{code="200",operation="credentials",target="smapi"}`, `target="lwa"}`, `target="vault_kv"}`,
			`target="aws_secrets_manager"}`, `target="file"}`, `credsync_source_pace_requests_per_second{source="amazon"}`,
		)
	}
	for _, h := range s.peers { // Login with Amazon, and the login to Vault
		h.arm("token ", replies[0])
		h.arm("login ", replies[1])
	}
	failed += s.faced(`credsync_source_grant_valid{source="amazon"}`)
	s.leftovers()
	s.said.wantNothing(t)
	if failed == 0 || s.said.size < 100<<10 {
		t.Errorf("%d failures shown in %d bytes; there was little to see", failed, s.said.size)
	}
	t.Logf("%d failures shown, %d bytes looked through", failed, s.said.size)
}

// faced runs the daemon once, wants these samples in its metrics, looks through
// all that it serves, disarms the peers, and returns how many failures were shown.
func (s *stage) faced(samples ...string) (failed int) {
	s.Helper()
	d := start(s.T, s.command(s.Context(), "--log-level", "debug", "--log-format", "json", "run"))
	base := "http://" + d.says(`"msg":"http: serving","address":"([^"]+)"`)
	d.says(`"msg":"waiting"`)
	served := make(map[string]string)
	for _, path := range facePaths {
		served[path] = s.served(base + path)
	}
	for _, sample := range samples {
		if !strings.Contains(served["/metrics"], sample) {
			s.Errorf("no %s in the metrics", sample)
		}
	}
	d.stop()
	for _, h := range s.peers {
		h.disarm()
		for _, token := range h.tokens() {
			s.plant("token", token)
		}
	}
	s.said.secrets = s.secrets
	for path, text := range served {
		s.said.look(path, text)
		failed += strings.Count(text, `"outcome":"failed"`)
	}
	s.said.look("the log of the daemon", d.out.String())
	return failed
}

// served returns the whole answer at url, header and body.
func (s *stage) served(url string) string {
	s.Helper()
	client := &http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	var header strings.Builder
	if err := resp.Header.Write(&header); err != nil {
		s.Error(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Error(err)
	}
	return resp.Status + "\n" + header.String() + string(body)
}

package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestTheSinksPassTheirSuiteOnRealServers runs the tests that each sink has of its
// own, conformance suite and all, where a fake is not enough.
func TestTheSinksPassTheirSuiteOnRealServers(t *testing.T) {
	t.Parallel()
	v, a := startVault(t), startAWS(t)
	cmd := exec.CommandContext(t.Context(), program(t, "go"), "test", "-race", "-count=1", "-v", "./internal/sink/vaultkv/...", "./internal/sink/awssm/...")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "CI=1", "CREDSYNC_TEST_VAULT_ADDR="+v.url, "CREDSYNC_TEST_VAULT_TOKEN="+v.root, "CREDSYNC_TEST_AWS_ENDPOINT="+a.moto)
	out, err := cmd.CombinedOutput()
	passed := 0
	for line := range strings.Lines(string(out)) {
		switch {
		case strings.HasPrefix(line, "--- PASS: Test") && (strings.Contains(line, "OnVault") || strings.Contains(line, "OnMoto")):
			passed++
		case strings.Contains(line, "--- FAIL"), strings.Contains(line, "NOT PROVEN"), strings.Contains(line, "NOT TESTED"):
			t.Log(strings.TrimSpace(line))
		}
	}
	if err != nil || passed < 3 {
		t.Errorf("%d suites passed on real servers, want 3 (Vault's two versions, AWS): %v\n%s", passed, err, tail(string(out)))
	}
}

package e2e

import (
	"os"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAmazonsOwnClientGetsWhatTheEmulatorSays proves the emulator, and so all
// other tests here, by the client that Amazon publishes.
func TestAmazonsOwnClientGetsWhatTheEmulatorSays(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("node/node_modules"); err != nil {
		missing(t, "Amazon's client", "run ./e2e/run, or npm ci --ignore-scripts in e2e/node")
	}
	a := startAmazon(t, 45, t.TempDir())
	cmd := exec.CommandContext(t.Context(), program(t, "node"), "fetch.mjs")
	cmd.Dir = "node"
	cmd.Env = environment(t.TempDir(), "BASE_URL="+a.url, "CLIENT_ID="+a.client.ClientID, "CLIENT_SECRET="+a.client.ClientSecret,
		"REFRESH_TOKEN="+a.client.RefreshToken, "VENDOR_ID="+a.client.Vendor)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	type credentials struct{ ClientID, ClientSecret string }
	var got struct {
		Vendors     []string
		Pages       int
		Credentials map[string]credentials
		Errors      map[string]any
	}
	decode(t, out, &got)
	want := make(map[string]credentials)
	for _, skill := range a.skills() {
		want[skill] = credentials(a.pair(skill))
	}
	if diff := cmp.Diff(want, got.Credentials); diff != "" {
		t.Errorf("credentials (-want +got):\n%s", diff)
	}
	if len(got.Errors) != 0 || got.Pages < 3 || !cmp.Equal(got.Vendors, []string{a.client.Vendor}) {
		t.Errorf("%d pages, vendors %v, errors %v", got.Pages, got.Vendors, got.Errors)
	}
}

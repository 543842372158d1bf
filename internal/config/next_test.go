package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatTakesARestart(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "credsync.yaml")
	load := func(text string) *Config {
		t.Helper()
		for name, content := range map[string]string{"credsync.yaml": text, "secret": "s"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const base = `state_dir: state
sources: {a: {smapi: {client_id: amzn1.c, client_secret: {file: secret}, refresh_token: {file: secret}}}}
sinks: {d: {file: {dir: out, name: "{skill_id}"}}}
jobs: {j: {source: a, sinks: [d], skills: {ids: [amzn1.ask.skill.1]}, schedule: "@hourly"}}
audit:
  file: audit.jsonl
`
	now := load(base)
	if err := now.CheckNext(load(base)); err != nil {
		t.Errorf("the same: %v", err)
	}
	if err := now.CheckNext(load("instance: other\n" + strings.ReplaceAll(base, "@hourly", "@daily"))); err != nil {
		t.Errorf("another schedule and instance: %v", err)
	}
	next := load(strings.NewReplacer("state_dir: state", "# none", "audit.jsonl", "elsewhere.jsonl").Replace(base) + "http: {listen: 127.0.0.1:9464}\n")
	got := strings.Split(strings.ReplaceAll(now.CheckNext(next).Error(), dir+"/", ""), "\n")
	const word = "can't change while the daemon runs; restart it (systemctl restart credsync), or take the change back"
	want := []string{"credsync.yaml:2: state_dir: " + word, "credsync.yaml:5: audit: " + word, "credsync.yaml:7: http: " + word}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if now.SHA256 == next.SHA256 || len(now.SHA256) != 64 {
		t.Errorf("digests %q and %q", now.SHA256, next.SHA256)
	}
}

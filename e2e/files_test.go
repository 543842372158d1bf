package e2e

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

// withFiles adds the sink "disk".
func (w *world) withFiles(name string, more settings) settings {
	s := settings{"dir": "secrets", "name": name}
	maps.Copy(s, more)
	w.sinks["disk"] = settings{"file": s}
	return s
}

// A folder is what the sink "disk" writes JSON to.
type folder struct{ *world }

func (folder) sink() string { return "disk" }

func (f folder) value(skill string) string {
	f.Helper()
	b, err := os.ReadFile(filepath.Join(f.dir, "secrets", skill+".json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.Fatal(err)
	}
	return string(b)
}

func TestFilesHoldWhatAmazonSays(t *testing.T) {
	const awkward = `amzn1.oa2-cs.v1.$HOME'\;&#` // not what Amazon issues, but what breaks a shell

	t.Run("as JSON", func(t *testing.T) {
		w := newWorld(t, 2)
		w.withFiles("{skill_id}.json", nil)
		w.amazon.set(w.amazon.skills()[0], pair{w.amazon.pair(w.amazon.skills()[0]).ClientID, awkward})
		w.wantSync(0, map[string]int{"created": 2})
		for _, skill := range w.amazon.skills() {
			path := filepath.Join("secrets", skill+".json")
			if pairIn(w.read(path)) != w.amazon.pair(skill) {
				t.Errorf("%s holds %s", path, w.read(path))
			}
			if info, err := os.Stat(filepath.Join(w.dir, path)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
		}
		w.wantSync(0, map[string]int{"unchanged": 2})
	})

	t.Run("as variables of a shell", func(t *testing.T) {
		w := newWorld(t, 2)
		w.withFiles("{skill_id}.env", settings{"format": "env"})
		w.sinks["disk"]["fields"] = settings{"ALEXA_CLIENT_ID": "{client_id}", "ALEXA_CLIENT_SECRET": "{client_secret}"}
		w.amazon.set(w.amazon.skills()[0], pair{w.amazon.pair(w.amazon.skills()[0]).ClientID, awkward})
		w.wantSync(0, map[string]int{"created": 2})
		for _, skill := range w.amazon.skills() {
			sh := exec.CommandContext(t.Context(), "sh", "-c", `. ./`+skill+`.env && printf '%s\n%s\n' "$ALEXA_CLIENT_ID" "$ALEXA_CLIENT_SECRET"`)
			sh.Dir = filepath.Join(w.dir, "secrets")
			out, err := sh.CombinedOutput()
			want := w.amazon.pair(skill)
			if got := string(out); err != nil || got != want.ClientID+"\n"+want.ClientSecret+"\n" {
				t.Errorf("the shell reads %q, want %q: %v", got, want, err)
			}
		}
	})

	t.Run("encrypted for somebody else", func(t *testing.T) {
		w := newWorld(t, 12)
		identity, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		w.withFiles("{skill_id}.age", settings{"encrypt_to": []string{identity.Recipient().String()}})
		w.wantSync(0, map[string]int{"created": 12})
		w.wantSync(0, map[string]int{"unchanged": 12})
		w.amazon.rotate(1)
		w.wantSync(0, map[string]int{"updated": 1, "unchanged": 11})
		for _, skill := range w.amazon.skills() {
			stored := w.read(filepath.Join("secrets", skill+".age"))
			want := w.amazon.pair(skill)
			if strings.Contains(stored, want.ClientSecret) {
				t.Errorf("%s is not encrypted", skill)
			}
			r, err := age.Decrypt(strings.NewReader(stored), identity)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := io.ReadAll(r)
			if err != nil || pairIn(string(plain)) != want {
				t.Errorf("%s holds something else than Amazon says: %v", skill, err)
			}
		}
	})
}

package config

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the expected files anew")

// furnish fills dir with the files that the configurations of the tests name.
func furnish(t *testing.T, dir string) {
	t.Helper()
	for name, mode := range map[string]os.FileMode{"secret": 0o600, "world-readable": 0o644, "empty": 0o600} {
		content := "not-to-be-shown\n"
		if name == "empty" {
			content = "\n"
		}
		write(t, filepath.Join(dir, name), content, mode)
	}
	if err := os.Mkdir(filepath.Join(dir, "directory"), 0o700); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

// load loads content from a furnished directory, which becomes the current one.
func load(t *testing.T, content string) (*Config, error) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	furnish(t, dir)
	write(t, "credsync.yaml", content, 0o600)
	return Load("credsync.yaml")
}

// hushed replaces what differs from run to run.
func hushed(text string) string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(text, dir, "DIR")
}

// Each file in testdata holds a fault, or several, after which it is named.
func TestEachFaultHasItsLine(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes and messages of the system differ")
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	t.Setenv("STATE_DIRECTORY", "")
	fixtures, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(fixtures) < 35 {
		t.Fatalf("%d fixtures, %v", len(fixtures), err)
	}
	for _, fixture := range fixtures {
		fixture, err := filepath.Abs(fixture)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(fixture), ".yaml"), func(t *testing.T) {
			content, err := os.ReadFile(fixture)
			if err != nil {
				t.Fatal(err)
			}
			_, err = load(t, string(content))
			if err == nil {
				t.Fatal("no error")
			}
			golden(t, strings.TrimSuffix(fixture, ".yaml")+".golden", hushed(err.Error())+"\n")
		})
	}
}

// golden compares got with the content of the file at path.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		write(t, path, got, 0o644)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got, where `go test ./internal/config -update` takes what is right:\n%s", diff)
	}
	for _, secret := range []string{"not-to-be-shown", "hunter2"} {
		if strings.Contains(got, secret) {
			t.Errorf("shows a secret: %s", got)
		}
	}
}

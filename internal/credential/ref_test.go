package credential_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/credential"
)

func write(t *testing.T, content string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return path
}

func skipWindows(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no mode bits")
	}
}

func TestReadFile(t *testing.T) {
	skipWindows(t)
	tests := map[string]struct {
		content string
		mode    fs.FileMode
		want    string
		says    string // of an error
	}{
		"plain":              {"s3cret", 0o600, "s3cret", ""},
		"newline at its end": {"s3cret\n", 0o400, "s3cret", ""},
		"CRLF at its end":    {"s3cret\r\n", 0o640, "s3cret", ""},
		"spaces are kept":    {" s3 cret ", 0o600, " s3 cret ", ""},
		"longest":            {strings.Repeat("x", 64<<10), 0o600, strings.Repeat("x", 64<<10), ""},
		"too long":           {strings.Repeat("x", 64<<10+1), 0o600, "", "longer than"},
		"empty":              {"", 0o600, "", "empty"},
		"newlines alone":     {"\n\r\n", 0o600, "", "empty"},
		"spaces alone":       {" \t\n", 0o600, "", "empty"},
		"read by all":        {"s3cret", 0o644, "", "; for a Kubernetes volume set defaultMode: 0400, or 0440 with fsGroup"},
		"read by others":     {"s3cret", 0o604, "", "readable by everybody (mode 0604)"},
		"write by others":    {"s3cret", 0o602, "", "anybody can put another secret there (mode 0602)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := write(t, tt.content, tt.mode)
			got, err := credential.Ref{File: path}.Read()
			if tt.says == "" {
				if err != nil || got.Reveal() != tt.want {
					t.Errorf("got %d bytes, %v", len(got.Reveal()), err)
				}
				return
			}
			if err == nil || !got.IsZero() {
				t.Fatalf("got a secret, %v", err)
			}
			if !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %q, want %q in it", err, tt.says)
			}
		})
	}
}

func TestReadWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{"missing": filepath.Join(dir, "none"), "directory": dir, "below a file": filepath.Join(write(t, "x", 0o600), "x"), "NUL": "a\x00b"} {
		_, err := credential.Ref{File: path}.Read()
		if err == nil || strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: got %v, want an error that names the path once", name, err)
		}
	}
}

// Kubernetes mounts secrets as links to files that it replaces.
func TestReadFollowsLinks(t *testing.T) {
	skipWindows(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(write(t, "s3cret", 0o600), link); err != nil {
		t.Fatal(err)
	}
	if got, err := (credential.Ref{File: link}).Read(); err != nil || got.Reveal() != "s3cret" {
		t.Errorf("got %v", err)
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Symlink(write(t, "s3cret", 0o644), open); err != nil {
		t.Fatal(err)
	}
	if _, err := (credential.Ref{File: open}).Read(); err == nil {
		t.Error("a link hid that its file is open to all")
	}
}

func TestReadTakesUpAReplacedFile(t *testing.T) {
	r := credential.Ref{File: write(t, "one", 0o600)}
	for _, want := range []string{"one", "two"} {
		if err := os.WriteFile(r.File, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Read(); err != nil || got.Reveal() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestReadEnv(t *testing.T) {
	r := credential.Ref{Env: "CREDSYNC_TEST_SECRET"}
	if _, err := r.Read(); err == nil || !strings.Contains(err.Error(), r.Env) {
		t.Errorf("got %v where it is not set", err)
	}
	t.Setenv(r.Env, "")
	if _, err := r.Read(); err == nil {
		t.Error("an empty variable is a secret")
	}
	t.Setenv(r.Env, " s3cret\n")
	if got, err := r.Read(); err != nil || got.Reveal() != " s3cret\n" {
		t.Errorf("got %v", err)
	}
}

func TestReadCredential(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := (credential.Ref{Credential: "token"}).Read(); err == nil || !strings.Contains(err.Error(), "; to check by hand: systemd-run --wait --pipe -p LoadCredential=token:PATH credsync check; ") {
		t.Errorf("got %v outside systemd", err)
	}
	path := write(t, "s3cret\n", 0o644) // guarded by an ACL on the directory, in systemd
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Dir(path))
	if got, err := (credential.Ref{Credential: "secret"}).Read(); err != nil || got.Reveal() != "s3cret" {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"..", ".", "../secret", "/etc/hostname", "a/b", ".hidden", "none"} {
		if _, err := (credential.Ref{Credential: name}).Read(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestZeroRef(t *testing.T) {
	var r credential.Ref
	if _, err := r.Read(); err == nil || !r.IsZero() || r.String() != "nothing" {
		t.Errorf("got %v", err)
	}
	for want, r := range map[string]credential.Ref{"f": {File: "f"}, "$E": {Env: "E"}, "credential c": {Credential: "c"}} {
		if got := r.String(); got != want || r.IsZero() {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

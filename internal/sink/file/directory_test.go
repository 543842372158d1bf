//go:build linux || darwin

package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/sink"
)

// Where making what is above does not help, a second try tells it.
func TestADirectoryThatCantBeMade(t *testing.T) {
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("/nowhere/at/all", link); err != nil {
		t.Fatal(err)
	}
	for what, dir := range map[string]string{
		"a dead link":               link,
		"below a dead link":         filepath.Join(link, "secrets"),
		"deep below a dead link":    filepath.Join(link, "a", "b", "secrets"),
		"where no file can be made": "/proc/credsync/secrets",
	} {
		t.Run(what, func(t *testing.T) {
			if _, err := os.Stat("/proc/self"); err != nil && strings.HasPrefix(dir, "/proc") {
				t.Skip("no /proc")
			}
			c := config(t)
			c.Dir = dir
			s := open(t, c)
			_, err := s.Put(t.Context(), name, record(t, c, owner, name, "canary"), sink.State{})
			checkUnmade(t, err, dir)
			if !strings.HasPrefix(dir, "/proc") { // nothing shows there that a check could see
				_, err = s.Check(t.Context())
				checkUnmade(t, err, dir)
			}
		})
	}
}

func checkUnmade(t *testing.T, err error, dir string) {
	t.Helper()
	if !errors.Is(err, sink.ErrUnavailable) {
		t.Fatalf("got %v, want %v", err, sink.ErrUnavailable)
	}
	for _, part := range []string{"dir " + dir + " can't be made: ", "no such file", "; is a link above it dead"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %q, want %q in it", err, part)
		}
	}
}

func TestADirectoryThatMayNotBeMade(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may make any")
	}
	c := config(t)
	above := t.TempDir()
	c.Dir = filepath.Join(above, "secrets")
	if err := os.Chmod(above, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, c).Put(t.Context(), name, record(t, c, owner, name, "canary"), sink.State{})
	if !errors.Is(err, sink.ErrDenied) || !strings.Contains(err.Error(), "dir "+c.Dir+" can't be made: ") {
		t.Errorf("got %v, want %v and the place", err, sink.ErrDenied)
	}
}

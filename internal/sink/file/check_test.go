package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/file"
)

func TestCheck(t *testing.T) {
	c := config(t)
	if err := os.Chmod(c.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Run("a directory for us alone needs no advice", func(t *testing.T) {
		if advice, err := open(t, c).Check(t.Context()); err != nil || len(advice) > 0 {
			t.Errorf("got %q, %v", advice, err)
		}
	})
	t.Run("one that isn't there yet will be made, and isn't by a check", func(t *testing.T) {
		c := c
		c.Dir = filepath.Join(c.Dir, "not", "there")
		if advice, err := open(t, c).Check(t.Context()); err != nil || len(advice) > 0 {
			t.Errorf("got %q, %v", advice, err)
		}
		if _, err := os.Stat(c.Dir); err == nil {
			t.Error("the check made the directory")
		}
	})
	t.Run("one open to everybody gets advice", func(t *testing.T) {
		c := c
		c.Dir, c.Mode = filepath.Join(t.TempDir()), "0644"
		if err := os.Chmod(c.Dir, 0o755); err != nil {
			t.Fatal(err)
		}
		advice, err := open(t, c).Check(t.Context())
		if err != nil || len(advice) != 2 || !strings.Contains(advice[0], "chmod") || !strings.Contains(advice[1], "0644") {
			t.Errorf("got %q, %v; want advice on the directory and the mode", advice, err)
		}
	})
	t.Run("a file in the place of the directory is an error", func(t *testing.T) {
		c := c
		c.Dir = filepath.Join(c.Dir, "file")
		write(t, c.Dir, "")
		for _, dir := range []string{c.Dir, filepath.Join(c.Dir, "below")} {
			c.Dir = dir
			if _, err := open(t, c).Check(t.Context()); !errors.Is(err, sink.ErrInvalid) {
				t.Errorf("got %v, want %v", err, sink.ErrInvalid)
			}
		}
	})
}

func TestEveryCallIsObservedOnce(t *testing.T) {
	type seen struct {
		Operation string
		Status    int
	}
	var got []seen
	c := config(t)
	s, err := file.Open(c, func(target, operation string, status int, _ time.Duration) {
		if target != "file" {
			t.Errorf("got target %q, want file", target)
		}
		got = append(got, seen{operation, status})
	})
	if err != nil {
		t.Fatal(err)
	}
	r := record(t, c, owner, name, "canary")
	state := put(t, s, r)
	_, _ = s.Put(t.Context(), name, record(t, c, owner, name, "other"), sink.State{})
	_, _ = s.Adopt(t.Context(), name, sink.Owner{Instance: "x", Skill: skill}, state)
	_, _ = s.Inspect(t.Context(), "a/b")
	_, _ = s.Orphans(t.Context(), "prod", func(string) bool { return false })
	want := []seen{{"inspect", 200}, {"put", 200}, {"put", 409}, {"adopt", 200}, {"inspect", 400}, {"orphans", 200}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

//go:build linux || darwin

package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/credsync/credsync/internal/sink"
)

func TestWhatIsNoPlainFileIsNeitherFollowedNorReplaced(t *testing.T) {
	for _, row := range []struct {
		what, guard string
		make        func(path, outside string) error
	}{
		{"symbolic link", "a symbolic link", func(path, outside string) error { return os.Symlink(outside, path) }},
		{"symbolic link inside", "a symbolic link", func(path, outside string) error {
			target := filepath.Join(filepath.Dir(path), "target")
			return errors.Join(os.Link(outside, target), os.Symlink("target", path))
		}},
		{"dangling symbolic link", "a symbolic link", func(path, _ string) error { return os.Symlink("nowhere", path) }},
		{"FIFO", "a FIFO", func(path, _ string) error { return syscall.Mkfifo(path, 0o600) }},
		{"directory", "a directory", func(path, _ string) error { return os.Mkdir(path, 0o700) }},
		{"hard link", "another hard link", func(path, outside string) error { return os.Link(outside, path) }},
	} {
		for _, marked := range []bool{false, true} {
			t.Run(row.what+map[bool]string{false: " without a mark", true: " under our mark"}[marked], func(t *testing.T) {
				c := config(t)
				s := open(t, c)
				path, outside := filepath.Join(c.Dir, name), filepath.Join(t.TempDir(), "outside")
				write(t, outside, "theirs")
				r := record(t, c, owner, name, "canary")
				if marked {
					put(t, s, r)
					if err := os.Remove(path); err != nil {
						t.Fatal(err)
					}
				}
				if err := row.make(path, outside); err != nil {
					t.Fatal(err)
				}
				before, _ := os.Lstat(path)
				state := inspect(t, s)
				if !state.Exists || state.Fingerprint != "" || !strings.Contains(state.Guard, row.guard) {
					t.Errorf("got %+v, want a guard that tells of %s", state, row.guard)
				}
				for _, prev := range []sink.State{state, {}} {
					if _, err := s.Put(t.Context(), name, r, prev); !errors.Is(err, sink.ErrForeign) {
						t.Errorf("Put: got %v, want %v", err, sink.ErrForeign)
					}
				}
				if _, err := s.Adopt(t.Context(), name, owner, state); !errors.Is(err, sink.ErrForeign) {
					t.Errorf("Adopt: got %v, want %v", err, sink.ErrForeign)
				}
				after, err := os.Lstat(path)
				if err != nil || !os.SameFile(before, after) {
					t.Error("it was replaced")
				}
				if got := read(t, outside); got != "theirs" {
					t.Errorf("the file outside now holds %q", got)
				}
			})
		}
	}
}

func TestAMarkThatIsNoPlainFileIsNotFollowed(t *testing.T) {
	c := config(t)
	s := open(t, c)
	r := record(t, c, owner, name, "canary")
	put(t, s, r)
	elsewhere := filepath.Join(t.TempDir(), "mark")
	if err := errors.Join(os.Rename(filepath.Join(c.Dir, markName), elsewhere), os.Symlink(elsewhere, filepath.Join(c.Dir, markName))); err != nil {
		t.Fatal(err)
	}
	state := inspect(t, s)
	if !state.Owner.IsZero() || state.Guard == "" {
		t.Errorf("got %+v, want it guarded and of no owner", state)
	}
	if _, err := s.Put(t.Context(), name, r, state); !errors.Is(err, sink.ErrForeign) {
		t.Errorf("Put: got %v, want %v", err, sink.ErrForeign)
	}
}

func TestTemporaryNamesAreNotFollowed(t *testing.T) {
	c := config(t)
	s := open(t, c)
	outside := filepath.Join(t.TempDir(), "outside")
	write(t, outside, "theirs")
	for _, base := range []string{temporary, temporaryMark} {
		if err := os.Symlink(outside, filepath.Join(c.Dir, base)); err != nil {
			t.Fatal(err)
		}
	}
	r := record(t, c, owner, name, "canary")
	put(t, s, r)
	wantDisk(t, c, r.Body.Reveal())
	if got := read(t, outside); got != "theirs" {
		t.Errorf("the file outside now holds %q", got)
	}
}

func TestModeAndGroup(t *testing.T) {
	c := config(t)
	c.Dir = filepath.Join(c.Dir, "new")
	c.Mode, c.DirMode = "0640", "0750"
	s := open(t, c)
	r := record(t, c, owner, name, "canary")
	put(t, s, r)
	path := filepath.Join(c.Dir, name)
	wantMode(t, c.Dir, 0o750)
	wantMode(t, path, 0o640)
	wantMode(t, filepath.Join(c.Dir, markName), 0o600)

	t.Run("a chmod by hand is an alteration and doesn't last", func(t *testing.T) {
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := inspect(t, s); got.Fingerprint != "" || got.Owner != owner {
			t.Errorf("got %+v, want ours, altered", got)
		}
		put(t, s, r)
		wantMode(t, path, 0o640)
		wantCurrent(t, s, r, "2")
	})
	t.Run("another configured mode reaches what stands", func(t *testing.T) {
		c.Mode = ""
		s := open(t, c)
		put(t, s, r)
		wantMode(t, path, 0o600)
		wantCurrent(t, s, r, "3")
	})
	t.Run("another configured group reaches what stands", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("not proven: giving files to any group takes root")
		}
		c.Group = "12345"
		s := open(t, c)
		put(t, s, r)
		wantCurrent(t, s, r, "4")
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Sys().(*syscall.Stat_t).Gid; got != 12345 {
			t.Errorf("got group %d, want 12345", got)
		}
	})
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s: got mode %04o, want %04o", filepath.Base(path), got, want)
	}
}

package file_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/credsync/credsync/internal/sink"
)

// mount puts a file system of its own, of 64 KiB, at dir.
func mount(t *testing.T, dir string) {
	t.Helper()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("not proven: no right to mount a file system here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, 0) })
}

func TestAFullDisk(t *testing.T) {
	c := config(t)
	mount(t, c.Dir)
	s := open(t, c)
	a := record(t, c, owner, name, "canary-a")
	put(t, s, a)
	large := record(t, c, owner, name, strings.Repeat("canary-b", 10_000))
	_, err := s.Put(t.Context(), name, large, inspect(t, s))
	if !errors.Is(err, sink.ErrUnavailable) || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("got %v, want %v that says why", err, sink.ErrUnavailable)
	}
	wantCurrent(t, s, a, "1")
	wantDisk(t, c, a.Body.Reveal())

	// No room for the mark that is to precede the value: pages are filled until
	// the value fits and the mark doesn't.
	fill := filepath.Join(c.Dir, "fill")
	for left := range 5 {
		write(t, fill, strings.Repeat("x", (10-left)*os.Getpagesize()))
		b := record(t, c, owner, name, strings.Repeat("b", 6000+left))
		if _, err := s.Put(t.Context(), name, b, inspect(t, s)); err != nil && !errors.Is(err, sink.ErrUnavailable) {
			t.Errorf("%d pages filled: got %v, want %v", 10-left, err, sink.ErrUnavailable)
		}
		if got := inspect(t, s); got.Owner != owner {
			t.Errorf("%d pages filled: got %+v, want it ours", 10-left, got)
		}
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	put(t, s, a)
	wantDisk(t, c, a.Body.Reveal())
}

func TestAReadOnlyFileSystem(t *testing.T) {
	c := config(t)
	mount(t, c.Dir)
	s := open(t, c)
	a := record(t, c, owner, name, "canary-a")
	put(t, s, a)
	if err := unix.Mount("none", c.Dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	wantCurrent(t, s, a, "1")
	_, err := s.Put(t.Context(), name, record(t, c, owner, name, "canary-b"), inspect(t, s))
	if !errors.Is(err, sink.ErrDenied) || !strings.Contains(err.Error(), "read-only file system") {
		t.Errorf("Put: got %v, want %v that says why", err, sink.ErrDenied)
	}
	if _, err := s.Check(t.Context()); !errors.Is(err, sink.ErrDenied) {
		t.Errorf("Check: got %v, want %v", err, sink.ErrDenied)
	}
}

// asNobody makes this thread's view of file systems that of a user without
// rights, and works with it.
func asNobody(t *testing.T, work func()) {
	t.Helper()
	if os.Getuid() != 0 {
		work() // no rights to begin with
		return
	}
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if _, err := unix.SetfsuidRetUid(65534); err != nil {
		t.Skipf("not proven: no way to drop rights here: %v", err)
	}
	work()
	_, _ = unix.SetfsuidRetUid(0)
	runtime.UnlockOSThread()
}

func TestWhatIsForbiddenIsDenied(t *testing.T) {
	c := config(t)
	s := open(t, c)
	a := record(t, c, owner, name, "canary-a")
	state := put(t, s, a)
	if err := os.Chmod(c.Dir, 0o000); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(c.Dir, 0o700) })
	asNobody(t, func() {
		if _, err := s.Inspect(t.Context(), name); !errors.Is(err, sink.ErrDenied) {
			t.Errorf("Inspect: got %v, want %v", err, sink.ErrDenied)
		}
		if _, err := s.Put(t.Context(), name, a, state); !errors.Is(err, sink.ErrDenied) || !strings.HasSuffix(err.Error(), ": access denied by the file system; let this user read and write in dir") {
			t.Errorf("Put: got %v, want %v", err, sink.ErrDenied)
		}
		if _, err := s.Adopt(t.Context(), name, owner, state); !errors.Is(err, sink.ErrDenied) {
			t.Errorf("Adopt: got %v, want %v", err, sink.ErrDenied)
		}
		if _, err := s.Orphans(t.Context(), "prod", func(string) bool { return false }); !errors.Is(err, sink.ErrDenied) {
			t.Errorf("Orphans: got %v, want %v", err, sink.ErrDenied)
		}
	})
}

func TestAFileThatWeMayNotReadIsNoAbsence(t *testing.T) {
	c := config(t)
	s := open(t, c)
	put(t, s, record(t, c, owner, name, "canary-a"))
	if err := errors.Join(os.Chmod(c.Dir, 0o755), os.Chmod(filepath.Dir(c.Dir), 0o755), os.Chmod(filepath.Join(c.Dir, name), 0)); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		if _, err := s.Inspect(t.Context(), name); !errors.Is(err, sink.ErrDenied) {
			t.Errorf("got %v, want %v", err, sink.ErrDenied)
		}
	})
}

func TestTheLockIsWaitedForAsLongAsTheContextLasts(t *testing.T) {
	c := config(t)
	s := open(t, c)
	r := record(t, c, owner, name, "canary")
	dir, err := os.Open(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	fd := int(dir.Fd())
	if err := unix.Flock(fd, unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Put(ctx, name, r, sink.State{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	if got := inspect(t, s); got != (sink.State{}) {
		t.Errorf("got %+v, want nothing there; a look needs no lock", got)
	}
	time.AfterFunc(50*time.Millisecond, func() { _ = unix.Flock(fd, unix.LOCK_UN) })
	put(t, s, r)
	wantCurrent(t, s, r, "1")
}

package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/credsync/credsync/internal/sink"
)

// lockPause is how long a writer waits before it tries the lock again.
const lockPause = 5 * time.Millisecond

// A directory is the sink's directory, opened for one operation.
type directory struct {
	sink *Sink
	root *os.Root
	self *os.File // the directory itself, to lock it and to sync it
}

// open opens the directory for a look.
func (s *Sink) open() (*directory, error) {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		if info, statErr := os.Stat(s.dir); statErr == nil && !info.IsDir() {
			return nil, syscall.ENOTDIR // OpenRoot has an error of its own for it
		}
		return nil, err
	}
	self, err := root.Open(".")
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return &directory{sink: s, root: root, self: self}, nil
}

func (d *directory) close() {
	_ = d.self.Close()
	_ = d.root.Close()
}

// lock opens the directory for a write, which it may have to make, waits until
// nobody else writes, and sweeps what a crash has left. It waits no longer than
// ctx lasts.
func (s *Sink) lock(ctx context.Context) (*directory, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	d, err := s.openLocked(ctx)
	if err != nil {
		<-s.turn
		return nil, err
	}
	return d, nil
}

func (s *Sink) openLocked(ctx context.Context) (*directory, error) {
	if err := s.makeDir(s.dir, true); err != nil {
		return nil, s.unmade(err)
	}
	d, err := s.open()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.unmade(err) // a dead link stands there
	}
	if err != nil {
		return nil, err
	}
	if err := d.acquire(ctx); err != nil {
		d.close()
		return nil, err
	}
	for _, left := range []string{temporaryFile, temporaryMark} {
		if err := d.root.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.close()
			return nil, err
		}
	}
	return d, nil
}

// acquire takes the advisory lock; closing the directory gives it back.
func (d *directory) acquire(ctx context.Context) error {
	for {
		ok, err := tryLock(d.self)
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another process holds the lock of the directory: %w", ctx.Err())
		case <-time.After(lockPause):
		}
	}
}

func (d *directory) unlock() {
	d.close()
	<-d.sink.turn
}

// makeDir makes dir and what is missing above it, durably. The last one gets
// the configured mode and group whatever the umask says.
func (s *Sink) makeDir(dir string, last bool) error {
	err := os.Mkdir(dir, s.dirMode)
	if parent := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := s.makeDir(parent, false); err != nil {
			return err
		}
		err = os.Mkdir(dir, s.dirMode)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil // if it is no directory, opening it says so
	case err != nil:
		return err
	case last:
		if err := giveTo(s.gid, func(uid, gid int) error { return os.Chown(dir, uid, gid) }); err != nil {
			return err
		}
		if err := os.Chmod(dir, s.dirMode); err != nil {
			return err
		}
	}
	above, err := os.Open(filepath.Dir(dir))
	if err != nil {
		return err
	}
	defer above.Close()
	return syncDir(above)
}

// unmade says that the directory is missing and why it stays so. That something
// is missing above it, which was made or stood there, is a riddle that needs a
// word.
func (s *Sink) unmade(err error) error {
	hint := ""
	if errors.Is(err, fs.ErrNotExist) {
		hint = "; is a link above it dead, or a file system not mounted?"
	}
	return fmt.Errorf("dir %s can't be made: %w%s", s.dir, translate(err), hint)
}

// create makes a new file with exactly this content, mode and group, durably.
// Where it can't, it leaves nothing.
func (d *directory) create(name string, content []byte, mode fs.FileMode, gid int) error {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = fill(f, content, mode, gid)
	if err := errors.Join(err, f.Close()); err != nil {
		_ = d.root.Remove(name)
		return err
	}
	return nil
}

// fill writes the content of a new file, once only those can read it who may.
func fill(f *os.File, content []byte, mode fs.FileMode, gid int) error {
	if err := giveTo(gid, f.Chown); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if keepsModes && info.Mode().Perm() != mode {
		return fmt.Errorf("%w: the file system doesn't keep mode %04o, which protects the secret", sink.ErrInvalid, mode)
	}
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.Sync()
}

// giveTo changes the group by chown, unless gid is negative.
func giveTo(gid int, chown func(uid, gid int) error) error {
	if gid < 0 || chown(-1, gid) == nil {
		return nil
	}
	return fmt.Errorf("%w: may not give files to group %d; make the user that runs credsync a member of it", sink.ErrDenied, gid)
}

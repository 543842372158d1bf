package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Check implements [sink.Checker]. It writes nothing: whether a group may be
// given away or the disk has room shows at the first write.
func (s *Sink) Check(ctx context.Context) (advice []string, err error) {
	err = s.observed(ctx, "check", func() error {
		d, err := s.open()
		if errors.Is(err, fs.ErrNotExist) {
			return s.creatable()
		}
		if err != nil {
			return err
		}
		defer d.close()
		info, err := d.self.Stat()
		if err != nil {
			return err
		}
		if keepsModes && info.Mode().Perm()&0o007 != 0 {
			advice = append(advice, fmt.Sprintf("directory %s is open to everybody (mode %04o); run chmod o-rwx %s", s.dir, info.Mode().Perm(), s.dir))
		}
		return writable(s.dir)
	})
	if err != nil {
		return nil, err
	}
	if s.mode&0o004 != 0 && len(s.recipients) == 0 {
		advice = append(advice, fmt.Sprintf("mode %04o lets everybody read the secrets; set 0640 and a group", s.mode))
	}
	return advice, nil
}

// creatable returns nil where the directory, which is missing, could be made.
func (s *Sink) creatable() error {
	for dir := s.dir; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
			if _, linked := os.Lstat(dir); linked == nil {
				return s.unmade(err)
			}
		case err != nil:
			return err
		case !info.IsDir():
			return syscall.ENOTDIR
		default:
			return writable(dir)
		}
	}
}

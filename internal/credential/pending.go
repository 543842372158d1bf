package credential

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A Pending is a secret file that is going to be written. Until [Pending.Commit]
// the file stands as it did, so that what could keep a secret from being stored
// shows before somebody goes to get one.
type Pending struct {
	path    string      // without symbolic links
	named   string      // as the caller called it
	replace bool        // what stands there
	was     fs.FileInfo // what stood there; nil = nothing
	f       *os.File
}

// ErrExists is that a file holds something already.
var ErrExists = errors.New("holds something already")

// Prepare makes ready to write the secret file at path, which only its owner is
// to read. Where the file holds something, that is [ErrExists] unless replace is
// set. What path points to as a symbolic link is replaced, not the link. Errors
// name the path. The caller calls Commit or [Pending.Discard].
func Prepare(path string, replace bool) (*Pending, error) {
	p := &Pending{path: path, named: path, replace: replace}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		p.path = real
	}
	if err := p.look(); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(p.path), ".credsync-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("%s: can't be written: %w", path, cause(err))
	}
	p.f = f
	return p, nil
}

// look finds what stands at the path.
func (p *Pending) look() error {
	info, err := os.Stat(p.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", p.named, cause(err))
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: not a regular file", p.named)
	case info.Size() > 0 && !p.replace:
		return fmt.Errorf("%s: %w", p.named, ErrExists)
	}
	p.was = info
	return nil
}

// Commit writes s and a newline, and puts the file in place; on nil it is
// durable. A file that it replaces keeps its owner and group, so that root can
// renew what a service reads. On an error the file stands as it did.
func (p *Pending) Commit(s Secret) error {
	defer p.Discard()
	if err := p.write(s); err != nil {
		return fmt.Errorf("%s: can't be written: %w", p.named, cause(err))
	}
	return nil
}

func (p *Pending) write(s Secret) error {
	_, err := p.f.WriteString(s.Reveal() + "\n")
	err = errors.Join(err, keepOwner(p.f, p.was), p.f.Sync(), p.f.Close())
	if err != nil {
		return err
	}
	if p.replace || p.was != nil {
		err = os.Rename(p.f.Name(), p.path)
	} else {
		err = os.Link(p.f.Name(), p.path) // unlike a rename it spares what came meanwhile
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
			err = os.Rename(p.f.Name(), p.path) // FAT and some network file systems have no links
		}
	}
	if err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(p.path))
}

// Discard gives up what was not committed. It may be called more than once.
func (p *Pending) Discard() {
	_ = p.f.Close()
	_ = os.Remove(p.f.Name())
}

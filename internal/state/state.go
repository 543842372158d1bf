// Package state keeps what credsync remembers between runs: small JSON files in
// one directory. None of them is needed to be right: losing the directory loses
// no secret and changes no outcome.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/fault"
)

// maxFile bounds what is read back, in bytes.
const maxFile = 1 << 20

// A Dir is a directory of JSON files, open until [Dir.Close]. Its methods are
// safe for concurrent use, by several processes too: a reader sees a file as
// one Save left it, and the last Save stands.
type Dir struct {
	root *os.Root
	path string
}

// Open opens the directory at path, which it makes with mode 0700 where there
// is none.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("state directory %s: %w", path, fault.Cause(err))
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("state directory %s: %w", path, fault.Cause(err))
	}
	d := &Dir{root, path}
	d.sweep()
	return d, nil
}

// sweep removes what a crash left of a Save: it may hold a secret. Another
// process may be at work, so what is young stays.
func (d *Dir) sweep() {
	const young = time.Minute
	left, err := fs.Glob(d.root.FS(), ".*.tmp")
	if err != nil {
		return
	}
	for _, name := range left {
		if info, err := d.root.Lstat(name); err == nil && time.Since(info.ModTime()) > young {
			_ = d.root.Remove(name) // the next Open tries again
		}
	}
}

// Close releases the directory.
func (d *Dir) Close() error { return d.root.Close() }

// Load decodes the file of the given name into v and reports whether there is
// one. A file that is no JSON is moved aside, to the same name with .damaged at
// its end, and told as an error once; from then on there is none. One that is
// JSON of another form stays where it is and is an error. Errors hold nothing of
// the content.
func (d *Dir) Load(name string, v any) (found bool, err error) {
	if err := plain(name); err != nil {
		return false, err
	}
	b, err := d.read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%s: %w", d.file(name), fault.Cause(err))
	}
	switch {
	case len(b) <= maxFile && json.Unmarshal(b, v) == nil:
		return true, nil
	case len(b) <= maxFile && json.Valid(b): // of another release: not ours to spoil
		return false, fmt.Errorf("%s: not in a form that this credsync knows; left as it is", d.file(name))
	}
	aside := name + ".damaged"
	if err := d.root.Rename(name, aside); err != nil {
		return false, fmt.Errorf("%s: damaged; remove it (moving it aside: %w)", d.file(name), fault.Cause(err))
	}
	return false, fmt.Errorf("%s: damaged; moved to %s, to look at or remove", d.file(name), d.file(aside))
}

func (d *Dir) read(name string) ([]byte, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// Save makes v the content of the file of the given name, with mode 0600. On
// nil it is durable; on an error the file is as it was, or durability alone is
// in doubt.
func (d *Dir) Save(name string, v any) error {
	if err := plain(name); err != nil {
		return err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: value can't be encoded", d.file(name))
	}
	temp := "." + name + "." + strconv.FormatUint(rand.Uint64(), 36) + ".tmp"
	err = d.write(temp, append(b, '\n'))
	if err == nil {
		err = d.root.Rename(temp, name)
	}
	if err != nil {
		_ = d.root.Remove(temp) // the error that counts is the first
		return fmt.Errorf("%s: %w", d.file(name), fault.Cause(err))
	}
	if err := d.sync(); err != nil {
		return fmt.Errorf("%s: %w", d.file(name), fault.Cause(err))
	}
	return nil
}

func (d *Dir) write(name string, b []byte) error {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// sync makes a rename durable. Windows can't sync a directory, and needs not.
func (d *Dir) sync() error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *Dir) file(name string) string { return filepath.Join(d.path, name) }

// plain refuses names that are not of a file right in the directory.
func plain(name string) error {
	if name == "" || strings.HasPrefix(name, ".") || strings.ContainsAny(name, `/\`) {
		return fmt.Errorf("state file %q: not a plain name", name)
	}
	return nil
}

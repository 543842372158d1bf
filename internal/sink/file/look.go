package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"github.com/credsync/credsync/internal/sink"
)

// maxFile is the most that is read of a file, in bytes. Put takes less, so what
// has more isn't as we wrote it.
const maxFile = 2 << 20

var (
	errIrregular = errors.New("no regular file")
	errUnsteady  = errors.New("it keeps changing")
)

// looked is what a look at one name found.
type looked struct {
	state sink.State
	mark  mark // zero where there is none that is understood
	file  found
}

// found is what stands at a name.
type found struct {
	info     fs.FileInfo // nil: nothing
	digest   string      // of the bytes of a regular file
	obstacle string      // why it can't be a file of ours, as a sentence
	adrift   bool        // its mode or group are not the configured ones
}

// look tells what stands at name. The mark is read before and after the file:
// where a writer came between, both are read again.
func (d *directory) look(ctx context.Context, name string) (looked, error) {
	for {
		if err := ctx.Err(); err != nil {
			return looked{}, err
		}
		before, err := d.readNote(name)
		if err != nil {
			return looked{}, err
		}
		file, err := d.find(name)
		if err != nil {
			return looked{}, err
		}
		after, err := d.readNote(name)
		if err != nil {
			return looked{}, err
		}
		if before != after {
			continue
		}
		now := looked{file: file}
		if before.text != "" {
			if now.mark, err = parseMark([]byte(before.text)); err != nil {
				before.damage = err.Error()
			}
		}
		now.state = now.mark.state(file)
		if before.damage != "" {
			now.state.Exists = true
			now.state.Guard = fmt.Sprintf("its mark %s %s; adopt the file, or remove the mark", markOf(name), before.damage)
		}
		return now, nil
	}
}

// state returns what m and the file it belongs to amount to. See the package
// comment for the table.
func (m mark) state(f found) sink.State {
	exists := f.info != nil
	foreign := sink.State{Exists: exists, Ref: f.digest, Guard: f.obstacle}
	if m == (mark{}) {
		return foreign
	}
	if m.Current == nil && !exists {
		return sink.State{Owner: m.owner()}
	}
	arrived := m.Next != nil && f.digest == m.Next.Digest
	if m.Current == nil && !arrived {
		return foreign
	}
	stands := m.Current
	if arrived {
		stands = m.Next
	}
	state := sink.State{Exists: true, Owner: m.owner(), Version: strconv.Itoa(stands.Version), Ref: f.digest, Guard: f.obstacle}
	confirmed := m.Current != nil // else a later edit could not be told from a file that came before ours
	if confirmed && f.digest == stands.Digest && !f.adrift && stands.Fingerprint != unknown {
		state.Fingerprint, state.Key = stands.Fingerprint, stands.Key
	}
	return state
}

// find tells what stands at name, whatever its mark says.
func (d *directory) find(name string) (found, error) {
	f, info, err := d.openRegular(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return found{}, nil
	case errors.Is(err, errIrregular):
		return found{info: info, obstacle: irregular(info.Mode())}, nil
	case err != nil:
		return found{}, err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, io.LimitReader(f, min(info.Size(), maxFile)+1)); err != nil { // a byte more shows that it grew
		return found{}, err
	}
	it := found{info: info, digest: hex.EncodeToString(hash.Sum(nil)), adrift: d.sink.adrift(info)}
	if links(info) > 1 && !d.isTemporary(info) {
		it.obstacle = "the file has another hard link, through which others can change it"
	}
	return it, nil
}

// irregular says what a file is that is not a regular one.
func irregular(mode fs.FileMode) string {
	what := "a device or socket"
	switch mode.Type() {
	case fs.ModeSymlink:
		what = "a symbolic link"
	case fs.ModeDir:
		what = "a directory"
	case fs.ModeNamedPipe:
		what = "a FIFO"
	}
	return what + " stands where the file belongs"
}

// isTemporary reports whether info is that of the temporary file: where files
// are put in place by a link, a crash leaves both names.
func (d *directory) isTemporary(info fs.FileInfo) bool {
	t, err := d.root.Lstat(temporaryFile)
	return err == nil && os.SameFile(t, info)
}

// adrift reports whether the mode or the group of a file is not the configured
// one.
func (s *Sink) adrift(info fs.FileInfo) bool {
	if keepsModes && info.Mode().Perm() != s.mode {
		return true
	}
	gid, ok := groupOf(info)
	return s.gid >= 0 && ok && gid != s.gid
}

// openRegular opens the regular file at name. It follows no link and waits for
// no FIFO: their error is errIrregular, with what stands there.
func (d *directory) openRegular(name string) (*os.File, fs.FileInfo, error) {
	for range 100 {
		info, err := d.root.Lstat(name)
		if err != nil {
			return nil, nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, info, errIrregular
		}
		f, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return nil, info, err
		}
		opened, err := f.Stat()
		if err == nil && os.SameFile(info, opened) {
			return f, opened, nil
		}
		_ = f.Close()
		if err != nil {
			return nil, info, err
		}
	}
	return nil, nil, errUnsteady
}

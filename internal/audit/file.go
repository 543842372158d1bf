package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/credsync/credsync/internal/credential"
)

// maxReopen bounds how often a file may be replaced during one commit.
const maxReopen = 5

var errReplaced = errors.New("replaced again and again while it was opened")

// A file is a device at a path, which other processes may append to and rename.
// What it knows of the file holds as long as the size is the one it knows.
type file struct {
	path  string
	opens func(path string) (disk, error)
	chain *chain
	runs  *runs
	held  map[string]bool // runs that are shown to be alive on disk
	disk  disk            // nil = to be opened
	size  int64           // as the last look or commit left it; negative = not known
	open  bool            // the last line lacks its newline
}

func newFile(path string, key credential.Secret) *file {
	return &file{path: path, opens: openDisk, chain: newChain(key), runs: &runs{}}
}

func (f *file) String() string { return "file " + f.path }

func (f *file) lastHead() Head { return f.chain.head }

// commit appends records with one write and one fsync. All of them are durable
// after it, or none. With no records it only sees to it that the file at the
// path is open.
func (f *file) commit(records []Record) (int, error) {
	if err := f.acquire(); err != nil {
		return 0, cause(err)
	}
	defer f.release()
	if len(records) == 0 {
		return 0, nil
	}
	begun, over := f.runs.beyond(f.held)
	if err := f.show(begun); err != nil {
		return 0, fmt.Errorf("lock: %w", err)
	}
	defer f.hide(over)
	var lines []byte
	if f.open {
		lines = append(lines, '\n')
	}
	before := f.chain.head
	for _, r := range records {
		var err error
		if lines, err = f.chain.next(lines, r); err != nil {
			f.chain.head = before
			return 0, err
		}
	}
	if err := f.append(lines); err != nil {
		f.chain.head = before
		return 0, cause(err)
	}
	return len(records), nil
}

// append makes lines durable. The lock is held over the fsync, so that nobody
// chains to a line that may yet vanish.
func (f *file) append(lines []byte) error {
	_, err := f.disk.Write(lines)
	if err == nil {
		err = f.disk.Sync()
	}
	if err != nil {
		// If this fails too, what stays is a torn line, or a record of
		// something that did not happen. The next look finds it.
		_ = f.disk.Truncate(f.size)
		f.size = -1
		return err
	}
	if f.size == 0 {
		syncDir(filepath.Dir(f.path))
	}
	f.size, f.open = f.size+int64(len(lines)), false
	return nil
}

// acquire takes the lock on the file that is at the path now, and reads where
// its chain ends. Where the file was renamed, the last of the old one is read
// before the new one goes on with the chain: only who holds the old file's lock
// knows that nobody writes to it any more.
func (f *file) acquire() error {
	for range maxReopen {
		if err := f.ensureOpen(); err != nil {
			return err
		}
		if err := lock(f.disk.Fd()); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		err := f.look()
		var current bool
		if err == nil {
			current, err = f.isCurrent()
		}
		if current {
			return nil
		}
		if err != nil {
			_ = f.close()
			return err
		}
		if err := f.move(); err != nil {
			return err
		}
	}
	return errReplaced
}

// move leaves a file that was renamed for the one that is at the path now. Who
// is alive shows in the new one before it no longer does in the old one.
func (f *file) move() error {
	old := f.disk
	defer old.Close()
	f.disk, f.held = nil, nil
	if err := f.ensureOpen(); err != nil {
		return err
	}
	live, _ := f.runs.beyond(nil)
	return f.show(live)
}

func (f *file) release() {
	if f.disk != nil && unlock(f.disk.Fd()) != nil {
		_ = f.close()
	}
}

// show makes runs known as alive before anything of them can be read.
func (f *file) show(runs []string) error {
	for _, run := range runs {
		free, err := claim(f.disk.Fd(), byteOf([]byte(run)))
		if err != nil {
			return err
		}
		if f.held == nil {
			f.held = make(map[string]bool)
		}
		f.held[run] = free
	}
	return nil
}

// hide ends what show began, after the last record of the runs.
func (f *file) hide(runs []string) {
	for _, run := range runs {
		if f.held[run] {
			_ = release(f.disk.Fd(), byteOf([]byte(run))) // at the latest it ends with the file
		}
		delete(f.held, run)
	}
}

func (f *file) ensureOpen() (err error) {
	if f.disk != nil {
		return nil
	}
	d, err := f.opens(f.path)
	if err != nil {
		return err
	}
	f.disk, f.size = d, -1
	return nil
}

// look reads where the chain ends, if the file is not as we left it. A file
// without a record goes on with the chain of the one before, as we know it or as
// it stands there.
func (f *file) look() error {
	info, err := f.disk.Stat()
	if err != nil || info.Size() == f.size {
		return err
	}
	t, err := readTail(f.disk, info.Size(), f.chain.seal)
	if err != nil {
		return err
	}
	if t.head == (Head{}) {
		t.head, _ = predecessor(f.path, f.chain.seal)
		t.head = later(t.head, f.chain.head)
	}
	f.chain.head = t.head
	f.size, f.open = info.Size(), t.open
	return nil
}

func later(a, b Head) Head {
	if a.Seq > b.Seq {
		return a
	}
	return b
}

func (f *file) isCurrent() (bool, error) {
	at, err := os.Stat(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	ours, err := f.disk.Stat()
	return err == nil && os.SameFile(at, ours), err
}

func (f *file) close() error {
	if f.disk == nil {
		return nil
	}
	err := f.disk.Close()
	f.disk, f.held = nil, nil
	return err
}

package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/credsync/credsync/internal/credential"
)

const (
	firstTail = 64 << 10 // holds the last record of any file but an odd one
	maxTail   = 4 << 20  // further back nobody tore anything
)

// ErrUnfit is what errors wrap where an audit file is not continued, because it
// does not go together with the configuration.
var ErrUnfit = errors.New("unfit")

const (
	errNoTrail unfit = "holds something else than audit records; name a file of its own"
	errSeal    unfit = "its last record was made with another audit key or without one, or was altered; a change of key wants a new file: move this one away"
)

// An unfit says why a file is not continued, and what to do.
type unfit string

func (u unfit) Error() string      { return string(u) }
func (unfit) Is(target error) bool { return target == ErrUnfit }

// Fit returns an error that wraps [ErrUnfit] where the file at path can't be
// continued with key. A file that is not there, or can't be read now, is fit as
// far as is known.
func Fit(path string, key credential.Secret) error {
	f, err := os.Open(path)
	if err != nil {
		return nil //nolint:nilerr // whoever opens it to write will see
	}
	defer f.Close()
	return fit(f, newSeal(key))
}

// fit looks at a file that others may be appending to.
func fit(d disk, s *seal) error {
	info, err := d.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	if _, err := readTail(d, info.Size(), s); errors.Is(err, ErrUnfit) {
		return err
	}
	return nil
}

// A tail is how a file ends.
type tail struct {
	head Head // of the last whole record; zero = there is none
	open bool // the last line lacks its newline
}

// readTail reads the end of a file of the given size, whose last record has to
// bear s.
func readTail(r io.ReaderAt, size int64, s *seal) (tail, error) {
	if size == 0 {
		return tail{}, nil
	}
	for window := int64(firstTail); ; window *= 4 {
		window = min(window, maxTail, size)
		buf := make([]byte, window)
		if _, err := r.ReadAt(buf, size-window); err != nil {
			return tail{}, fmt.Errorf("read its end: %w", cause(err))
		}
		t := tail{open: buf[window-1] != '\n'}
		torn := true // everything since the last record is
		lines := bytes.Split(bytes.TrimSuffix(buf, []byte("\n")), []byte("\n"))
		if window < size {
			lines = lines[1:] // it began before the window
		}
		for _, line := range slices.Backward(lines) {
			if head, ok := readHead(line); ok {
				if body, sum, _ := splitSeal(line); sum != string(s.of(body)) {
					return tail{}, errSeal
				}
				t.head = head
				return t, nil
			}
			torn = torn && isFragment(line)
		}
		switch {
		case window == size && torn:
			return t, nil
		case window == size || window == maxTail:
			return tail{}, errNoTrail
		}
	}
}

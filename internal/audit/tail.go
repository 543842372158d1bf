package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	firstTail = 64 << 10 // holds the last record of any file but an odd one
	maxTail   = 4 << 20  // further back nobody tore anything
)

var errNoTrail = errors.New("holds something else than audit records; name a file of its own")

// A tail is how a file ends.
type tail struct {
	head Head // of the last whole record; zero = there is none
	open bool // the last line lacks its newline
}

// readTail reads the end of a file of the given size.
func readTail(r io.ReaderAt, size int64) (tail, error) {
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

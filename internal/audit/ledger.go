package audit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"
	"slices"
	"sync"
)

// ledgerBuffer holds any line that is of interest here.
const ledgerBuffer = 256 << 10

// A ledger reads a file of records to find out what was announced and never
// concluded. It reads the file once, and later what was added. It takes no part
// in appending, and nobody waits for it.
type ledger struct {
	path string
	seal *seal

	mu      sync.Mutex
	info    os.FileInfo // of the file that was read
	at      int64       // how far
	last    []byte      // the line before
	intents intents
}

// abandoned yields what was announced by runs that are no longer alive and is
// wanted. While the loop runs nobody else is handed the same record.
func (l *ledger) abandoned(ctx context.Context, wanted func(Record) bool) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		f, err := os.OpenFile(l.path, os.O_RDWR, 0) // a lock takes the right to write
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(Record{}, cause(err))
			return
		}
		defer f.Close()
		lines, err := l.read(ctx, f)
		for _, line := range lines {
			r, ours, fault := l.take(ctx, f, line, wanted)
			if err = fault; err != nil {
				break
			}
			if ours && !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(Record{}, cause(err))
		}
	}
}

// take parses line and reports whether it is for us to conclude.
func (l *ledger) take(ctx context.Context, f *os.File, line []byte, wanted func(Record) bool) (Record, bool, error) {
	r, err := parse(line)
	if err != nil {
		return r, false, nil //nolint:nilerr // nothing that we wrote
	}
	alive, err := claimed(f.Fd(), byteOf([]byte(r.Run)))
	if err != nil || alive || !wanted(r) {
		return r, false, err
	}
	free, err := claim(f.Fd(), byteOf(line)) // until f is closed
	if err != nil || !free {
		return r, false, err
	}
	// It may have been concluded just before either lock ended.
	lines, err := l.read(ctx, f)
	return r, slices.ContainsFunc(lines, func(open []byte) bool { return bytes.Equal(open, line) }), err
}

// read reads on to the end of f and returns the lines that are open there.
func (l *ledger) read(ctx context.Context, f *os.File) ([][]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !l.goesOn(f, info) {
		l.begin()
		if err := l.readBefore(ctx, f); err != nil {
			return nil, fmt.Errorf("read the file before: %w", err)
		}
	}
	l.info = info
	if err := l.readOn(ctx, f); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return l.intents.all(), nil
}

func (l *ledger) begin() { l.at, l.last, l.intents = 0, nil, intents{} }

// readBefore reads the file from which f goes on with the chain, if it is there:
// a rotation may have come between a crash and us. What the living announced
// there is left to them.
func (l *ledger) readBefore(ctx context.Context, f *os.File) error {
	first, err := bufio.NewReaderSize(io.NewSectionReader(f, 0, ledgerBuffer), ledgerBuffer).ReadSlice('\n')
	link, ok := readLink(first)
	if err != nil || !ok || link.Prev == genesis {
		return nil //nolint:nilerr // torn, or nothing there: it goes on from nowhere
	}
	head, path := predecessor(l.path, l.seal)
	if head.Hash != link.Prev {
		return nil
	}
	before, err := os.Open(path)
	if err != nil {
		return err
	}
	defer before.Close()
	if err := l.readOn(ctx, before); err != nil {
		l.begin()
		return err
	}
	open := l.intents.all()
	l.begin()
	for _, line := range open {
		r, err := parse(line)
		if err != nil {
			continue // nothing that we wrote
		}
		if alive, err := claimed(before.Fd(), byteOf([]byte(r.Run))); err == nil && !alive {
			l.intents.take(line)
		}
	}
	return nil
}

// goesOn reports whether f is what was read before, with no more than additions.
func (l *ledger) goesOn(f *os.File, info os.FileInfo) bool {
	if l.at == 0 || !os.SameFile(l.info, info) {
		return false
	}
	last := make([]byte, len(l.last))
	_, err := f.ReadAt(last, l.at-int64(len(last)))
	return err == nil && bytes.Equal(last, l.last)
}

// readOn takes line after line, but for the last where it lacks its newline:
// somebody may be writing it.
func (l *ledger) readOn(ctx context.Context, f *os.File) error {
	in := bufio.NewReaderSize(io.NewSectionReader(f, l.at, math.MaxInt64-l.at), ledgerBuffer)
	for n := 0; ; n++ {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		case n%1024 == 0 && ctx.Err() != nil:
			return ctx.Err()
		}
		l.intents.take(bytes.TrimSuffix(line, []byte("\n")))
		l.at += int64(len(line))
		l.last = append(l.last[:0], line...)
	}
}

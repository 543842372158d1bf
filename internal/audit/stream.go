package audit

import (
	"io"

	"github.com/credsync/credsync/internal/credential"
)

// A stream is a device that only takes bytes.
type stream struct {
	name  string
	w     io.Writer
	chain *chain
	open  bool // the last line lacks its newline
}

func newStream(s Stream, key credential.Secret) *stream {
	return &stream{name: s.Name, w: s.Writer, chain: newChain(key)}
}

func (s *stream) String() string { return "stream " + s.name }

// commit writes line by line, so that it is known which of them were accepted.
func (s *stream) commit(records []Record) (int, error) {
	for i, r := range records {
		if err := s.write(r); err != nil {
			return i, err
		}
	}
	return len(records), nil
}

func (s *stream) write(r Record) error {
	var line []byte
	if s.open {
		line = append(line, '\n')
	}
	before := s.chain.head
	line, err := s.chain.next(line, r)
	if err != nil {
		return err
	}
	n, err := s.w.Write(line)
	if n > 0 {
		s.open = line[n-1] != '\n'
	}
	switch {
	case n >= len(line)-1: // a record that lacks its newline alone is there
		return nil
	case err == nil:
		err = io.ErrShortWrite
	}
	s.chain.head = before
	return cause(err)
}

func (s *stream) lastHead() Head { return s.chain.head }

// close does nothing: the stream is its owner's.
func (s *stream) close() error { return nil }

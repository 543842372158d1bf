package audit

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/credsync/credsync/internal/credential"
)

// VerifyOptions say what a trail is held against. The zero VerifyOptions are
// for a file without a key.
type VerifyOptions struct {
	Key credential.Secret // what the trail was written with
	// Head is a record that has to be there; zero = none is known.
	Head Head
	// Restarts allows chains to follow one another, as in what was captured of a
	// stream. Records cut from the end of one of them don't show then.
	Restarts bool
}

// A Report is what a trail holds, up to the first bad line.
type Report struct {
	Records int
	// FirstSeq is the number of the first record. Greater than 1, the file goes
	// on with a chain that began in another one, or its beginning was cut off:
	// the files verified as one tell.
	FirstSeq uint64
	Head     Head  // the last record
	Torn     []int // numbers of the lines whose writer was stopped; not tampering
	Restarts int   // chains that begin after the first line
	// Open are the announcements that nothing concludes: of writers that are at
	// work now or were stopped, or that went on in another file.
	Open []Record
}

// A BadLineError is the first line where a trail does not hold.
type BadLineError struct {
	Line    int // from 1; one past the last where records are missing at the end
	Problem string
}

func (e *BadLineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// Verify reads a trail to its end and reports what it holds. It fails with a
// [BadLineError] where the trail was tampered with, and else with what kept it
// from reading. It reads a line at a time and keeps none.
func Verify(r io.Reader, o VerifyOptions) (Report, error) {
	v := &verifier{VerifyOptions: o, seal: newSeal(o.Key)}
	in := bufio.NewReaderSize(r, maxLine+1)
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			v.line++
			return v.report, v.bad("longer than any record")
		case err != nil && !errors.Is(err, io.EOF):
			return v.report, fmt.Errorf("after line %d: %w", v.line, cause(err))
		case len(line) > 0:
			if err := v.next(line); err != nil {
				return v.report, err
			}
		}
		if err != nil {
			err := v.finish()
			return v.report, err
		}
	}
}

// A verifier follows a chain line by line.
type verifier struct {
	VerifyOptions
	seal   *seal
	report Report
	line   int  // number of the current line
	last   int  // number of the line of the last record
	found  bool // the record that Head names
	open   intents
}

func (v *verifier) bad(format string, args ...any) error {
	return &BadLineError{Line: v.line, Problem: fmt.Sprintf(format, args...)}
}

// next takes one line, its newline included where it has one.
func (v *verifier) next(line []byte) error {
	v.line++
	line, whole := bytes.CutSuffix(line, []byte("\n"))
	body, sum, ok := splitSeal(line)
	switch {
	case !ok && isFragment(line):
		if !v.fits(line) {
			return v.bad("put there: it looks torn, but is not how the next record began")
		}
		v.report.Torn = append(v.report.Torn, v.line)
		return nil
	case !ok:
		return v.bad("not a record")
	case !hmac.Equal(v.seal.of(body), []byte(sum)):
		return v.bad("edited, or written with another key: its hash does not match")
	}
	l, ok := readLink(line)
	if !ok {
		return v.bad("not a record")
	}
	if !whole {
		v.report.Torn = append(v.report.Torn, v.line)
	}
	if err := v.follow(l, sum); err != nil {
		return err
	}
	v.open.take(line)
	return nil
}

// fits reports whether a fragment can be of the record that was due: as far as it
// shows a number, the hash before and its own hash, they are the right ones.
// Who invents one that shows less, or knows the rest, is not found out.
func (v *verifier) fits(fragment []byte) bool {
	fragment = bytes.TrimRight(fragment, "\x00")
	if body, sum, ok := bytes.Cut(fragment, []byte(hashMember)); ok {
		if !begins(sum, string(v.seal.of(body))+`"`) {
			return false
		}
	}
	last := v.report.Head
	return v.last == 0 || begun(fragment, last.Seq+1, last.Hash) || v.Restarts && begun(fragment, 1, genesis)
}

// begun reports whether fragment can be the beginning of record seq.
func begun(fragment []byte, seq uint64, prev string) bool {
	_, number, _ := bytes.Cut(fragment, []byte(`,"seq":`))
	_, sum, _ := bytes.Cut(fragment, []byte(`,"prev":"`))
	return begins(number, strconv.FormatUint(seq, 10)+`,"event":"`) && begins(sum, prev+`"`)
}

// begins reports whether text, which may be cut off anywhere, begins with want.
func begins(text []byte, want string) bool {
	n := min(len(text), len(want))
	return string(text[:n]) == want[:n]
}

// follow checks that a record goes on from the last one, and counts it.
func (v *verifier) follow(l link, sum string) error {
	if (l.Seq == 1) != (l.Prev == genesis) {
		return v.bad("record %d does not go together with what it names before it", l.Seq)
	}
	switch first := v.last == 0; {
	case first:
		v.report.FirstSeq = l.Seq
	case l.Seq == 1 && v.Restarts:
		v.report.Restarts++
	default:
		if problem := v.gap(l); problem != "" {
			return v.broken(problem)
		}
	}
	if l.Seq == v.Head.Seq && sum != v.Head.Hash && !v.Restarts {
		return v.bad("record %d is not the one that the head names", l.Seq)
	}
	v.report.Records++
	v.report.Head = Head{Seq: l.Seq, Hash: sum}
	v.found = v.found || v.report.Head == v.Head
	v.last = v.line
	return nil
}

// gap says why a record does not go on from the last one.
func (v *verifier) gap(l link) string {
	last := v.report.Head
	switch {
	case l.Seq == 1:
		return "a chain begins anew; in a captured stream each start of credsync does that, in a file none"
	case l.Seq > last.Seq+1:
		return fmt.Sprintf("record %d follows record %d: records between them are missing", l.Seq, last.Seq)
	case l.Seq <= last.Seq:
		return fmt.Sprintf("record %d follows record %d: repeated or moved", l.Seq, last.Seq)
	case l.Prev != last.Hash:
		return fmt.Sprintf("record %d does not continue record %d: one of them is from another chain", l.Seq, last.Seq)
	}
	return ""
}

// broken blames the line after the last record: a line that looked torn there
// was one that the chain needs.
func (v *verifier) broken(problem string) error {
	if v.line > v.last+1 {
		problem = fmt.Sprintf("cut short, or put there; line %d: %s", v.line, problem)
	}
	return &BadLineError{Line: v.last + 1, Problem: problem}
}

// finish holds the whole trail against the head.
func (v *verifier) finish() error {
	for _, line := range v.open.all() {
		if r, err := parse(line); err == nil {
			v.report.Open = append(v.report.Open, r)
		}
	}
	if v.Head == (Head{}) || v.found {
		return nil
	}
	if v.report.FirstSeq > v.Head.Seq {
		return &BadLineError{Line: 1, Problem: fmt.Sprintf("begins with record %d; the head names record %d, which stands in an earlier file", v.report.FirstSeq, v.Head.Seq)}
	}
	v.line++
	return v.bad("cut off here: record %d, which the head names, is missing", v.Head.Seq)
}

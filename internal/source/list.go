package source

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
)

// maxListLine bounds a line of a skill list: an ID of 255 characters and a
// label, generously.
const maxListLine = 4096

// An Entry is one line of a skill list. An entry with an Err fails alone.
type Entry struct {
	Skill credential.SkillID
	Label string
	Where Place
	Err   error
}

// A Place is where an entry came from.
type Place struct {
	List string // a path, or what else the list is known by
	Line int    // from 1; 0 = it has no lines
}

// String returns p as LIST:LINE.
func (p Place) String() string {
	if p.Line == 0 {
		return p.List
	}
	return p.List + ":" + strconv.Itoa(p.Line)
}

// ReadList reads the skill list in the file at path: an ID a line, optionally
// followed by a label; empty lines and text from a # on are skipped.
//
// A line that is wrong becomes an entry with an error, and so does a skill that
// was listed before. A list that can't be read, or holds no line at all, is an
// error as a whole: emptiness is never taken for an intent.
func ReadList(path string) ([]Entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, noList(path, err)
	}
	defer f.Close()
	return ParseList(f, path)
}

// ParseList reads a skill list from r, which errors name path. See [ReadList].
func ParseList(r io.Reader, path string) ([]Entry, error) {
	var entries []Entry
	var pages pages
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxListLine)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := bytes.Cut(bytes.TrimPrefix(lines.Bytes(), []byte("\ufeff")), []byte("#"))
		text := pages.keep(bytes.TrimSpace(line))
		id, label, _ := strings.Cut(text, " ")
		if strings.ContainsRune(id, '\t') {
			id, label, _ = strings.Cut(text, "\t")
		}
		if id == "" {
			continue
		}
		entries = append(entries, parseEntry(id, strings.TrimSpace(label), Place{path, n}))
	}
	if err := lines.Err(); err != nil {
		return nil, noList(path, err)
	}
	if len(entries) == 0 {
		return nil, noList(path, errors.New("no skill in it"))
	}
	refuseTwins(entries)
	return entries, nil
}

// pages hold many short texts with no room between them: a string of its own
// takes a fifth more.
type pages struct{ last *strings.Builder }

const pageSize = 64 << 10

func (p *pages) keep(text []byte) string {
	if p.last == nil || p.last.Cap()-p.last.Len() < len(text) {
		p.last = new(strings.Builder)
		p.last.Grow(max(pageSize, len(text)))
	}
	from := p.last.Len()
	p.last.Write(text)
	return p.last.String()[from:]
}

// refuseTwins gives each entry an error whose skill was listed before. Sorting
// takes less memory than a map of all skills.
func refuseTwins(entries []Entry) {
	order := make([]int, 0, len(entries))
	for i, e := range entries {
		if e.Err == nil {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(entries[a].Skill, entries[b].Skill), cmp.Compare(a, b))
	})
	for i, first := 1, 0; i < len(order); i++ {
		e, before := &entries[order[i]], entries[order[first]]
		if e.Skill != before.Skill {
			first = i
			continue
		}
		e.Err = fmt.Errorf("%s: skill %s is listed at %s already; remove one of the two lines", e.Where, e.Skill, before.Where)
	}
}

func parseEntry(id, label string, where Place) Entry {
	e := Entry{Label: label, Where: where}
	switch {
	case !utf8.ValidString(id + label):
		e.Err = fmt.Errorf("%s: not UTF-8", where)
	case strings.ContainsFunc(label, func(r rune) bool { return r < ' ' || r == 0x7f }):
		e.Err = fmt.Errorf("%s: label %q holds a control character", where, label)
	default:
		var err error
		if e.Skill, err = credential.ParseSkillID(id); err != nil {
			e.Err = fmt.Errorf("%s: %w", where, err)
		}
	}
	return e
}

// noList says why there is no list at path, and the way out.
func noList(path string, err error) error {
	wayOut := "write one skill ID per line into it, or correct skills.file of the job"
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		err, wayOut = fmt.Errorf("a line longer than %d bytes", maxListLine), "is this a skill list?"
	case errors.Is(err, fs.ErrPermission):
		wayOut = "let this user read it"
	}
	return fmt.Errorf("skill list %s: %w; %s", path, fault.Cause(err), wayOut)
}

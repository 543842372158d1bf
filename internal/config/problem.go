package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A Problem is one thing that is wrong with a configuration, or deserves a
// word, and the way out. It holds no secret: values that stand where a secret
// belongs are never repeated.
type Problem struct {
	File    string // the file to change
	Line    int    // counted from 1; 0 where the file as a whole is meant
	Key     string // "jobs.production.sinks[1]"; empty where no key is to blame
	Problem string // `no sink is named "awz"`
	Hint    string // the way out, as an order; may be empty
}

// String returns p as one line: file:line: key: problem; hint. What does not
// print, in a path or a name, is escaped as in a Go string.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Problem)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return escaped(b.String())
}

// escaped returns s with Go's escapes for what could end a line or act on a terminal.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return b.String()
}

// An Error is all that is wrong with a configuration, in the order of its
// lines. There is at least one problem in it.
type Error struct {
	Problems []Problem
	SHA256   string // hex digest of the file's content; empty where it could not be read
}

// Error returns a line for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// failure returns the one problem of a file that can't be read at all.
func failure(path, problem, hint string) *Error {
	return &Error{Problems: []Problem{{File: path, Problem: problem, Hint: hint}}}
}

// inOrder sorts problems by file, line and key and drops what is said twice.
func inOrder(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), strings.Compare(a.Key, b.Key))
	})
	seen := make(map[Problem]bool, len(problems))
	return slices.DeleteFunc(problems, func(p Problem) bool {
		defer func() { seen[p] = true }()
		return seen[p]
	})
}

package config

import (
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/fault"
)

// A report collects what there is to say about one document.
type report struct {
	doc      *document
	problems []Problem
	advice   []Problem

	spoiled []keys // values taken out of the document: nothing below them is to be believed
	gaps    []keys // mappings that lost a member: that something is missing there is no news
}

// at adds a problem at a line that is known.
func (r *report) at(line int, where keys, problem, hint string) {
	r.problems = append(r.problems, Problem{r.doc.path, line, where.String(), problem, hint})
}

// fault adds a problem with the value at where, unless it follows from one that
// was told already.
func (r *report) fault(where keys, problem, hint string) {
	for _, s := range r.spoiled {
		if len(s) <= len(where) && slices.Equal(s, where[:len(s)]) {
			return
		}
	}
	for _, g := range r.gaps {
		if slices.Equal(g, where) {
			return
		}
	}
	r.at(r.doc.line(where), where, problem, hint)
}

// err adds a problem that an error tells, with the way out after a semicolon.
func (r *report) err(where keys, err error) {
	problem, hint, _ := strings.Cut(err.Error(), "; ")
	r.fault(where, problem, hint)
}

// faults adds what an adapter found wrong with the value at where.
func (r *report) faults(where keys, l fault.List) {
	for _, f := range l {
		r.fault(where.within(f.Field), f.Problem, f.Hint)
	}
}

// advise adds what works but deserves a word.
func (r *report) advise(where keys, problem, hint string) {
	r.advice = append(r.advice, Problem{r.doc.path, r.doc.line(where), where.String(), problem, hint})
}

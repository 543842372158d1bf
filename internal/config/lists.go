package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

// Skills is the list of skills of a job. Exactly one of File, IDs and Vendor is
// set.
type Skills struct {
	// File is the path of a list: one skill ID per line, optionally a label
	// after it, and comments from a # on. It is read anew at each run.
	File string `yaml:"file,omitempty" resolve:"path"`
	// IDs are skill IDs, each optionally with a space and a label after it.
	IDs []string `yaml:"ids,omitempty"`
	// Vendor is a vendor ID: all skills that it has at the time of the run.
	Vendor string `yaml:"vendor,omitempty"`

	inline []source.Entry // of IDs
}

// Entries returns the skills that s lists by itself: its file is read now, see
// [source.ReadList]. Those of a Vendor are for the source to tell, and none are
// returned here.
func (s Skills) Entries() ([]source.Entry, error) {
	if s.File != "" {
		return source.ReadList(s.File)
	}
	return slices.Clone(s.inline), nil
}

var vendorPattern = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)

// check also parses the inline IDs.
func (s *Skills) check(r *report, at keys) {
	var given []string
	if s.File != "" {
		given = append(given, "file")
	}
	if s.IDs != nil {
		given = append(given, "ids")
	}
	if s.Vendor != "" {
		given = append(given, "vendor")
	}
	exactlyOne(r, at, "list of skills", given, []string{"file", "ids", "vendor"})
	if s.Vendor != "" && !vendorPattern.MatchString(s.Vendor) {
		r.fault(at.child("vendor"), quote(s.Vendor)+" is no vendor ID", "copy it from the developer console (Settings, My IDs), as M1A2B3C4D5")
	}
	if s.IDs != nil && len(s.IDs) == 0 {
		r.fault(at.child("ids"), "no skill in it", "write at least one skill ID, or name a file")
	}
	first := make(map[credential.SkillID]int)
	for i, text := range s.IDs {
		here := at.child("ids").element(i)
		id, label, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(text), "\t", " "), " ")
		skill, err := credential.ParseSkillID(id)
		if err != nil {
			r.err(here, err)
			continue
		}
		if before, ok := first[skill]; ok {
			r.fault(here, fmt.Sprintf("skill %s is listed twice, first as number %d", skill, before+1), "keep one of the two")
			continue
		}
		first[skill] = i
		if !skill.Usual() {
			r.advise(here, unusual(skill), "")
		}
		s.inline = append(s.inline, source.Entry{
			Skill: skill, Label: strings.TrimSpace(label), Where: source.Place{List: r.doc.path, Line: r.doc.line(here)},
		})
	}
}

// CheckLists reads the list file of each job, as a run will. The error is an
// [*Error] that holds what is wrong with the files, which a run passes over
// skill by skill: lines that are no skill ID, and names that two skills share.
func (c *Config) CheckLists() error {
	var problems []Problem
	lists := make(map[string][]source.Entry)
	for _, name := range slices.Sorted(maps.Keys(c.Jobs)) {
		skills := c.Jobs[name].Skills
		entries, err := skills.Entries()
		if err != nil {
			problems = append(problems, listFailure(skills.File, err))
		}
		for _, e := range entries {
			if e.Err != nil {
				text := strings.TrimPrefix(e.Err.Error(), e.Where.String()+": ")
				problem, hint, _ := strings.Cut(text, "; ")
				problems = append(problems, atEntry(e, problem, hint))
				continue
			}
			lists[name] = append(lists[name], e)
		}
	}
	problems = append(problems, c.clashes(lists)...)
	if len(problems) > 0 {
		return &Error{Problems: inOrder(problems)}
	}
	return nil
}

// ListAdvice reads the list file of each job, as a run will, and returns what
// works but deserves a word. What is wrong with a file, CheckLists tells; what
// deserves a word in the configuration itself is Advice.
func (c *Config) ListAdvice() []Problem {
	var advice []Problem
	for _, job := range c.Jobs {
		if job.Skills.File == "" {
			continue
		}
		entries, _ := source.ReadList(job.Skills.File)
		for _, e := range entries {
			if e.Err == nil && !e.Skill.Usual() {
				advice = append(advice, atEntry(e, unusual(e.Skill), ""))
			}
		}
	}
	return inOrder(advice)
}

// unusual is the word that an ID deserves which Amazon accepts by its
// documentation, and issues to nobody.
func unusual(id credential.SkillID) string {
	return quote(string(id)) + " does not look like a skill ID (amzn1.ask.skill.…)"
}

func listFailure(path string, err error) Problem {
	problem, hint, _ := strings.Cut(strings.TrimPrefix(err.Error(), "skill list "+path+": "), "; ")
	return Problem{File: path, Problem: problem, Hint: hint}
}

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

// A place is one name in one sink.
type place struct{ sink, name string }

// checkNamesOfIDs finds inline IDs whose name in a sink is another's too.
func (c *Config) checkNamesOfIDs(r *report) {
	lists := make(map[string][]source.Entry)
	for name, j := range c.Jobs {
		lists[name] = j.Skills.inline
	}
	r.problems = append(r.problems, c.clashes(lists)...)
}

// clashes returns a problem for each skill of the lists, by job, that has no
// name in a sink of its job, or a name that is another skill's.
func (c *Config) clashes(lists map[string][]source.Entry) []Problem {
	var problems []Problem
	taken := make(map[place]source.Entry)
	for _, job := range slices.Sorted(maps.Keys(lists)) {
		for _, name := range c.Jobs[job].Sinks {
			t, ok := c.template(name)
			if !ok {
				continue
			}
			for _, e := range lists[job] {
				if p, ok := c.clash(taken, name, t, e); !ok {
					problems = append(problems, p)
				}
			}
		}
	}
	return problems
}

// clash takes the name of e in a sink; false means that it can't, and why.
func (c *Config) clash(taken map[place]source.Entry, sinkName string, t sink.Template, e source.Entry) (Problem, bool) {
	name, err := t.Render(sink.Subject{Skill: e.Skill, Label: e.Label, Instance: c.Instance})
	if err != nil {
		problem, hint, _ := strings.Cut(err.Error(), "; ")
		return atEntry(e, fmt.Sprintf("no name in sink %q: %s", sinkName, problem), hint), false
	}
	other, ok := taken[place{sinkName, name}]
	if ok && other.Skill != e.Skill {
		return atEntry(e,
			fmt.Sprintf("skill %s would have the name %s in sink %q, which skill %s has (%s)", e.Skill, quote(name), sinkName, other.Skill, other.Where),
			"put {skill_id} into the names of that sink, or tell the two apart by their labels"), false
	}
	taken[place{sinkName, name}] = e
	return Problem{}, true
}

// template returns that of the names in a sink, if there is such a sink and its
// template is good.
func (c *Config) template(name string) (sink.Template, bool) {
	given, set := c.Sinks[name].kinds()
	if len(given) != 1 {
		return sink.Template{}, false
	}
	t, err := sink.ParseTemplate(set.NameTemplate())
	return t, err == nil
}

// atEntry returns a problem with one line of a list.
func atEntry(e source.Entry, problem, hint string) Problem {
	return Problem{File: e.Where.List, Line: e.Where.Line, Problem: problem, Hint: hint}
}

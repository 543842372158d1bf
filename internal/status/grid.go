package status

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/syncer"
)

// A grid is the matrix of one job: its skills, and a cell for each in each sink.
// It is packed, because there may be a hundred thousand: docs/decisions/0021 has
// what one costs.
type grid struct {
	sinks  []string
	index  map[string]int32 // rows by key
	rows   []row
	cells  []cell  // of the rows, one after the other
	sorted []int32 // rows by skill; nil = to be sorted
}

// A row is a skill, or a line of the list that holds none.
type row struct {
	key   string // the skill, or noSkill and what is wrong with the line
	label string
}

// noSkill begins the key of a row without a skill; no ID begins so.
const noSkill = "\x00"

func (r row) skill() credential.SkillID {
	if strings.HasPrefix(r.key, noSkill) {
		return ""
	}
	return credential.SkillID(r.key)
}

// A cell is a [Cell] in few bytes.
type cell struct {
	version string
	name    text
	error   text
	met     stamp // by the first run that had a result for it
	since   stamp
	checked stamp
	good    stamp
	changed stamp
	run     uint32 // the last that had a result for it
	outcome code
	reason  reasonCode
}

func newGrid(sinks []string) *grid { return &grid{sinks: sinks, index: make(map[string]int32)} }

// of returns the cells of row i.
func (g *grid) of(i int) []cell {
	n := len(g.sinks)
	return g.cells[i*n : (i+1)*n : (i+1)*n]
}

// put enters a result, of a sink of g, that came now, in the given run, which began at started.
func (g *grid) put(r syncer.Result, run uint32, started, now stamp) {
	sink := slices.Index(g.sinks, r.Sink)
	i := g.row(r)
	c := &g.of(i)[sink]
	outcome, reason := codeOf(r.Outcome), reasonOf(r.Reason)
	if c.run == run && c.outcome > outcome {
		return // a skill that is listed twice: the worse result counts
	}
	if c.outcome == 0 {
		c.met = started
	}
	if c.outcome != outcome || c.reason != reason {
		c.since = started
	}
	c.run, c.outcome, c.reason = run, outcome, reason
	c.error = pack(r.Error, r.Skill)
	if r.Name != "" {
		c.name = pack(r.Name, r.Skill)
	}
	if r.Version != "" && r.Version != c.version {
		c.version = strings.Clone(r.Version)
	}
	if r.Outcome != syncer.Skipped {
		c.checked = now
	}
	if outcome.good() {
		c.good = now
		if r.Outcome != syncer.Unchanged {
			c.changed = now
		}
	}
}

// expect makes room for a run of so many results, without the slack that
// growing by and by leaves.
func (g *grid) expect(results int) {
	rows := results / max(len(g.sinks), 1)
	if len(g.rows) == 0 {
		g.index = make(map[string]int32, rows)
	}
	g.rows = slices.Grow(g.rows, max(rows-len(g.rows), 0))
	g.cells = slices.Grow(g.cells, max(results-len(g.cells), 0))
}

// row returns the row of r, a new one where there is none.
func (g *grid) row(r syncer.Result) int {
	key := string(r.Skill)
	if key == "" {
		key = noSkill + r.Error
	}
	i, ok := g.index[key]
	if !ok {
		i = int32(len(g.rows))   //nolint:gosec // a list has no 2^31 lines
		key = strings.Clone(key) // it may be a part of a longer line
		g.rows = append(g.rows, row{key: key})
		g.cells = append(g.cells, make([]cell, len(g.sinks))...)
		g.index[key], g.sorted = i, nil
	}
	if g.rows[i].label != r.Label {
		g.rows[i].label = strings.Clone(r.Label)
	}
	return int(i)
}

// prune drops the rows that had no result in run.
func (g *grid) prune(run uint32) {
	met := func(c cell) bool { return c.run == run }
	keep := 0
	for i := range g.rows {
		if !slices.ContainsFunc(g.of(i), met) {
			continue
		}
		if keep != i {
			g.rows[keep] = g.rows[i]
			copy(g.of(keep), g.of(i))
		}
		keep++
	}
	if keep == len(g.rows) {
		return
	}
	g.rows = slices.Clip(slices.Clone(g.rows[:keep]))
	g.cells = slices.Clip(slices.Clone(g.cells[:keep*len(g.sinks)]))
	g.reindex()
}

func (g *grid) reindex() {
	g.index, g.sorted = make(map[string]int32, len(g.rows)), nil
	for i, r := range g.rows {
		g.index[r.key] = int32(i)
	}
}

// resize gives g other sinks. What is known of those that stay is kept.
func (g *grid) resize(sinks []string) {
	if slices.Equal(g.sinks, sinks) {
		return
	}
	cells := make([]cell, 0, len(g.rows)*len(sinks))
	for i := range g.rows {
		old := g.of(i)
		for _, name := range sinks {
			c := cell{}
			if j := slices.Index(g.sinks, name); j >= 0 {
				c = old[j]
			}
			cells = append(cells, c)
		}
	}
	g.sinks, g.cells = sinks, cells
}

// order returns the rows by skill; those without one come first.
func (g *grid) order() []int32 {
	if g.sorted == nil {
		g.sorted = make([]int32, len(g.rows))
		for i := range g.sorted {
			g.sorted[i] = int32(i)
		}
		slices.SortFunc(g.sorted, func(a, b int32) int { return cmp.Compare(g.rows[a].key, g.rows[b].key) })
	}
	return g.sorted
}

// holds reports whether text, in lower case, is a part of what row i is known by.
func (g *grid) holds(i int, text string) bool {
	skill := g.rows[i].skill()
	if strings.Contains(strings.ToLower(string(skill)), text) || strings.Contains(strings.ToLower(g.rows[i].label), text) {
		return true
	}
	return slices.ContainsFunc(g.of(i), func(c cell) bool { return strings.Contains(strings.ToLower(c.name.of(skill)), text) })
}

// show unpacks row i.
func (g *grid) show(i int, j *job) Skill {
	r := g.rows[i]
	skill := r.skill()
	s := Skill{Job: j.settings.Name, Skill: string(skill), Label: r.label, Cells: make([]Cell, len(g.sinks))}
	for n, c := range g.of(i) {
		s.Cells[n] = Cell{Sink: g.sinks[n], Name: c.name.of(skill)}
		if c.outcome == 0 {
			continue
		}
		shown := &s.Cells[n]
		shown.Outcome, shown.Reason, shown.Error, shown.Version = c.outcome.word(), c.reason.word(), c.error.of(skill), c.version
		shown.Since, shown.Checked, shown.Good, shown.Changed = c.since.time(), c.checked.time(), c.good.time(), c.changed.time()
		if !c.outcome.good() {
			shown.Cure, shown.Command = j.cure(shown.Reason, shown.Sink)
		}
	}
	return s
}

// good reports whether every cell is as it should be.
func (g *grid) good() bool {
	return !slices.ContainsFunc(g.cells, func(c cell) bool { return !c.outcome.good() })
}

// A tally is what the cells of one sink have in common.
type tally struct {
	outcome code
	reason  reasonCode
	n       int
	since   stamp // of the oldest
	example string
}

// tallies counts the cells of sink number n, by outcome and reason. It also
// returns when the cell was last good whose success is the longest ago; for one
// that never was, that is when it was met first.
func (g *grid) tallies(n int) (tallies []tally, oldest time.Time) {
	var least stamp
	for i := range g.rows {
		c := &g.of(i)[n]
		if c.outcome == 0 {
			continue
		}
		k := slices.IndexFunc(tallies, func(t tally) bool { return t.outcome == c.outcome && t.reason == c.reason })
		if k < 0 {
			k = len(tallies)
			tallies = append(tallies, tally{outcome: c.outcome, reason: c.reason, since: c.since, example: c.error.of(g.rows[i].skill())})
		}
		tallies[k].n++
		tallies[k].since = min(tallies[k].since, c.since)
		good := cmp.Or(c.good, c.met)
		if least == 0 || good < least {
			least = good
		}
	}
	return tallies, least.time()
}

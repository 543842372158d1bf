package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rivo/uniseg"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/syncer"
)

// maxRows is how many results of one pass a table shows; the rest is counted.
const maxRows = 50

// A tableReport shows each pass to a person: a line per name that changed or
// went wrong, counts for the rest, and what to do about each kind of trouble.
// It fits the terminal, and 80 columns elsewhere. A plan reads like a diff: each
// line begins with the sign of what sync would do.
type tableReport struct {
	w       io.Writer
	dryRun  bool
	command string   // how to call credsync with this configuration
	accept  []string // plan IDs that the operator named
	pass    tablePass
}

// A tablePass is what is kept of one pass.
type tablePass struct {
	short    []syncer.Result // refused, failed, skipped: shown first, and before all others
	changed  []syncer.Result
	more     int
	troubles map[trouble]*examples
}

// A trouble is a kind of failure in one sink, or before any of them.
type trouble struct {
	reason syncer.Reason
	sink   string // empty: upstream of all sinks
}

// maxTexts is how many texts of one trouble are shown.
const maxTexts = 3

// Examples are the first texts of a trouble, and how many skills it met.
type examples struct {
	sink  string // whose results are counted: upstream trouble comes once per sink
	n     int
	texts []string
	more  bool
}

func (e *examples) add(res syncer.Result) {
	if res.Sink != e.sink {
		return
	}
	e.n++
	switch {
	case slices.Contains(e.texts, res.Error):
	case len(e.texts) < maxTexts:
		e.texts = append(e.texts, res.Error)
	default:
		e.more = true
	}
}

func (r *tableReport) Start(string, int) {}

func (r *tableReport) Result(res syncer.Result) {
	p := &r.pass
	switch {
	case res.Outcome == syncer.Unchanged:
		return
	case res.Reason == syncer.NoReason:
		p.changed = p.keep(p.changed, res)
		return
	}
	p.short = p.keep(p.short, res)
	if p.troubles == nil {
		p.troubles = make(map[trouble]*examples)
	}
	kind := trouble{res.Reason, res.Sink}
	if res.Upstream {
		kind.sink = ""
	}
	if p.troubles[kind] == nil {
		p.troubles[kind] = &examples{sink: res.Sink}
	}
	p.troubles[kind].add(res)
}

func (p *tablePass) keep(rows []syncer.Result, res syncer.Result) []syncer.Result {
	if len(rows) >= maxRows {
		p.more++
		return rows
	}
	return append(rows, res)
}

func (r *tableReport) Finish(s syncer.Summary, requests map[string]int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d %s in %s\n", s.Job, s.Skills, plural(s.Skills, "skill"), s.Took.Round(time.Millisecond))
	r.rows(&b)
	fmt.Fprintf(&b, "\n%s\n", counts(s))
	if len(requests) > 0 {
		fmt.Fprintf(&b, "requests: %s\n", pairs(requests))
	}
	r.explain(&b, s)
	r.pass = tablePass{}
	_, err := io.WriteString(r.w, b.String()+"\n")
	return err
}

func (r *tableReport) rows(b *strings.Builder) {
	p := &r.pass
	room := max(maxRows-len(p.short), 0)
	rows := append(p.short, p.changed[:min(room, len(p.changed))]...)
	p.more += max(len(p.changed)-room, 0)
	if len(rows) == 0 {
		return
	}
	slices.SortFunc(rows, func(a, b syncer.Result) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(shown(a), shown(b)), cmp.Compare(a.Sink, b.Sink))
	})
	sink := len("SINK")
	for _, res := range rows {
		sink = min(max(sink, uniseg.StringWidth(printable(res.Sink))), 20)
	}
	g := grid{columns: columns(r.w), skill: 36, sink: sink, signs: r.dryRun, look: lookOf(r.w)}
	g.skill = min(g.skill, g.columns-(sink+9+8+6)) // a little of the detail shows in any case
	b.WriteString("\n" + g.row("", "SKILL", "SINK", "OUTCOME", "DETAIL"))
	for _, res := range rows {
		b.WriteString(g.row(res.Outcome, shown(res), res.Sink, string(res.Outcome), r.detail(res)))
	}
	if p.more > 0 {
		fmt.Fprintf(b, "… and %d more; -o json has all\n", p.more)
	}
	if r.dryRun {
		b.WriteString("\n" + g.look.paint(faint, "+ create  ~ update  ! repair  x refuse") + "\n")
	}
}

// shown is what a person knows a skill by: its label, else its UUID.
func shown(r syncer.Result) string {
	if r.Label != "" {
		return r.Label
	}
	if uuid, ok := r.Skill.UUID(); ok {
		return uuid
	}
	if r.Skill == "" {
		return "(unreadable)"
	}
	return string(r.Skill)
}

func (r *tableReport) detail(res syncer.Result) string {
	version := res.Version
	if credential.Fingerprint(version).Valid() {
		version = version[:8]
	}
	switch {
	case res.Reason != syncer.NoReason:
		return string(res.Reason)
	case version == "":
		return ""
	case r.dryRun:
		return "now version " + version
	default:
		return "version " + version
	}
}

func rank(r syncer.Result) int { return slices.Index(syncer.Outcomes, r.Outcome) }

func counts(s syncer.Summary) string {
	parts := counted(s.Counts)
	if len(parts) == 0 {
		return "no results"
	}
	return strings.Join(parts, ", ")
}

// counted lists the outcomes that there are, each with its number.
func counted(n map[syncer.Outcome]int) (parts []string) {
	for _, o := range syncer.Outcomes {
		if n[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[o], o))
		}
	}
	return parts
}

func pairs(m map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(parts, ", ")
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

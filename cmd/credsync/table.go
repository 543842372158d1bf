package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/syncer"
)

// maxRows is how many results of one pass a table shows; the rest is counted.
const maxRows = 50

// A tableReport shows each pass to a person: a line per name that changed or
// went wrong, counts for the rest, and what to do about each kind of trouble.
// It fits 80 columns.
type tableReport struct {
	w        io.Writer
	plan     bool
	rows     []syncer.Result
	more     int
	troubles map[trouble]int
}

// A trouble is a kind of failure, with one example of it.
type trouble struct {
	reason syncer.Reason
	sink   string
	text   string
}

func (r *tableReport) Start(string, int) { r.rows, r.more, r.troubles = nil, 0, make(map[trouble]int) }

func (r *tableReport) Result(res syncer.Result) {
	if res.Outcome == syncer.Unchanged {
		return
	}
	if res.Reason != syncer.NoReason {
		r.troubles[trouble{res.Reason, res.Sink, res.Error}]++
	}
	if len(r.rows) >= maxRows {
		r.more++
		return
	}
	r.rows = append(r.rows, res)
}

func (r *tableReport) Finish(s syncer.Summary, requests map[string]int) error {
	var b strings.Builder
	verb := "synced"
	if r.plan {
		verb = "looked at"
	}
	fmt.Fprintf(&b, "%s: %d skills %s in %s\n", s.Job, s.Skills, verb, s.Took.Round(time.Millisecond))
	if len(r.rows) > 0 {
		b.WriteString("\n")
		row(&b, "SKILL", "SINK", "OUTCOME", "DETAIL")
	}
	slices.SortFunc(r.rows, func(a, b syncer.Result) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(shown(a), shown(b)), cmp.Compare(a.Sink, b.Sink))
	})
	for _, res := range r.rows {
		row(&b, shown(res), res.Sink, string(res.Outcome), detail(res))
	}
	if r.more > 0 {
		fmt.Fprintf(&b, "… and %d more; -o json has all\n", r.more)
	}
	fmt.Fprintf(&b, "\n%s\n", counts(s))
	if len(requests) > 0 {
		fmt.Fprintf(&b, "requests: %s\n", pairs(requests))
	}
	r.explain(&b, s)
	_, err := io.WriteString(r.w, wrap(b.String())+"\n")
	return err
}

// explain says what went wrong and what to do about it, each kind once.
func (r *tableReport) explain(b *strings.Builder, s syncer.Summary) {
	if s.Plan != "" {
		fmt.Fprintf(b, "plan: %s\n", s.Plan)
	}
	if s.Brake != "" {
		fmt.Fprintf(b, "brake: %s\n  If this is right, run: credsync sync --job %s --accept-plan %s\n", s.Brake, s.Job, s.Plan)
	}
	if s.Err != nil {
		fmt.Fprintf(b, "error: %v\n", s.Err)
	}
	said := 0
	for _, t := range slices.SortedFunc(maps.Keys(r.troubles), func(a, b trouble) int {
		return cmp.Or(cmp.Compare(a.reason, b.reason), cmp.Compare(a.sink, b.sink), cmp.Compare(a.text, b.text))
	}) {
		if t.reason == syncer.Brake {
			continue
		}
		if said++; said > 10 {
			b.WriteString("… and more; -o json has all\n")
			break
		}
		fmt.Fprintf(b, "%s (%d, sink %s): %s\n", t.reason, r.troubles[t], t.sink, t.text)
		if cure := cures[t.reason]; cure != "" {
			fmt.Fprintf(b, "  → %s\n", cure)
		}
	}
	for i, o := range s.Orphans {
		if i == 10 {
			fmt.Fprintf(b, "… and %d more orphans; -o json has all\n", len(s.Orphans)-i)
			break
		}
		fmt.Fprintf(b, "orphan in %s: %s is on no job's list; credsync never deletes\n", o.Sink, o.Name)
	}
}

// cures says, for each reason, what an operator can do.
var cures = map[syncer.Reason]string{
	syncer.NotFound:    "check the skill ID; a skill gets credentials with its first permission that needs them (developer console, Permissions)",
	syncer.Denied:      "check the token and its rights; credsync check --online tells which",
	syncer.Invalid:     "correct what is named; nothing was changed for it",
	syncer.Rejected:    "Amazon handed out a pair that it does not take itself; it was not published; look at the skill in the developer console",
	syncer.RateLimited: "give the job more time (timeout) or fewer skills per run",
	syncer.Unavailable: "the next run tries again; nothing was changed for it",
	syncer.Timeout:     "the next run tries again; raise the job's timeout if this stays",
	syncer.Conflict:    "somebody else writes there too; find out who, and let only one do it",
	syncer.Foreign:     "credsync leaves alone what it does not own; credsync adopt takes it over",
	syncer.Canceled:    "run it again; nothing is half done",
	syncer.Internal:    "this should not happen; please report it with the log",
}

// wrap breaks lines at spaces so that they fit a terminal of 80 columns. What
// follows a break is indented; a word that is longer stays whole.
func wrap(text string) string {
	const width, indent = 80, "    "
	var b strings.Builder
	for line := range strings.Lines(text) {
		for len([]rune(line)) > width+1 { // the newline takes no column
			cut := strings.LastIndexByte(string([]rune(line)[:width+1]), ' ')
			if strings.TrimSpace(line[:max(cut, 0)]) == "" {
				break
			}
			b.WriteString(strings.TrimRight(line[:cut], " ") + "\n")
			line = indent + line[cut+1:]
		}
		b.WriteString(line)
	}
	return b.String()
}

func row(b *strings.Builder, skill, sink, outcome, detail string) {
	fmt.Fprintf(b, "%-36s  %-12s  %-9s  %s\n", clip(skill, 36), clip(sink, 12), outcome, clip(detail, 17))
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

func detail(r syncer.Result) string {
	switch {
	case r.Reason != syncer.NoReason:
		return string(r.Reason)
	case r.Version == "":
		return ""
	case credential.Fingerprint(r.Version).Valid():
		return "version " + r.Version[:8]
	default:
		return "version " + r.Version
	}
}

func rank(r syncer.Result) int { return slices.Index(syncer.Outcomes, r.Outcome) }

func counts(s syncer.Summary) string {
	var parts []string
	for _, o := range syncer.Outcomes {
		if n := s.Counts[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	if len(parts) == 0 {
		return "no results"
	}
	return strings.Join(parts, ", ")
}

func pairs(m map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(parts, ", ")
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

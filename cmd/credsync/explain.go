package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/syncer"
)

// explain says what went wrong and what to do about it, each kind once.
func (r *tableReport) explain(out *strings.Builder, s syncer.Summary) {
	var b strings.Builder
	if n := s.Counts[syncer.Updated] + r.pass.braked(); r.dryRun && n > 0 {
		fmt.Fprintf(&b, "plan: %s (%d %s)\n", s.Plan, n, plural(n, "update"))
	}
	if s.Brake != "" {
		if len(r.accept) > 0 {
			fmt.Fprintf(&b, "accept-plan: %s names other updates than these, or was used before\n", strings.Join(r.accept, ", "))
		}
		fmt.Fprintf(&b, "brake: %s\n  If this is right, let exactly these updates through:\n", s.Brake)
		fmt.Fprintf(&b, "  %s sync --job %s --accept-plan %s\n", r.command, s.Job, s.Plan)
	}
	if s.Err != nil {
		fmt.Fprintf(&b, "error: %v\n", s.Err)
	}
	for _, t := range slices.SortedFunc(maps.Keys(r.pass.troubles), func(a, b trouble) int {
		return cmp.Or(cmp.Compare(a.reason, b.reason), cmp.Compare(a.sink, b.sink))
	}) {
		if t.reason != syncer.Brake {
			r.trouble(&b, t, r.pass.troubles[t])
		}
	}
	for i, o := range s.Orphans {
		if i == 10 {
			fmt.Fprintf(&b, "… and %d more orphans; -o json has all\n", len(s.Orphans)-i)
			break
		}
		fmt.Fprintf(&b, "orphan in %s: %s is on no job's list; credsync never deletes\n", o.Sink, printable(o.Name))
	}
	out.WriteString(wrap(b.String()))
}

// trouble says what went wrong in one way, and the way out.
func (r *tableReport) trouble(b *strings.Builder, t trouble, e *examples) {
	where := ""
	if t.sink != "" {
		where = ", sink " + t.sink
	}
	fmt.Fprintf(b, "%s (%d %s%s):\n", t.reason, e.n, plural(e.n, "skill"), where)
	for _, text := range e.texts {
		fmt.Fprintf(b, "  %s\n", printable(text))
	}
	if e.more {
		b.WriteString("  … and more; -o json has all\n")
	}
	if cure := cures[t.reason]; cure != "" {
		fmt.Fprintf(b, "  → %s\n", cure)
	}
	if t.reason == syncer.Foreign {
		fmt.Fprintf(b, "  %s adopt --sink %s --dry-run --all\n", r.command, t.sink)
	}
}

// braked is the number of updates that the brake refused.
func (p *tablePass) braked() (n int) {
	for t, e := range p.troubles {
		if t.reason == syncer.Brake {
			n += e.n
		}
	}
	return n
}

// cures says, for each reason, what an operator can do.
var cures = map[syncer.Reason]string{
	syncer.NotFound:    "check the skill ID; a skill gets credentials with its first permission that needs them (developer console, Permissions)",
	syncer.Denied:      "check the token and its rights; check --online tells which",
	syncer.Invalid:     "correct what is named; nothing was changed for it",
	syncer.Rejected:    "Amazon handed out a pair that it does not take itself; it was not published; look at the skill in the developer console",
	syncer.RateLimited: "give the job more time (timeout) or fewer skills per run",
	syncer.Unavailable: "the next run tries again; nothing was changed for it",
	syncer.Timeout:     "the next run tries again; raise the job's timeout if this stays",
	syncer.Conflict:    "somebody else writes there too; find out who, and let only one do it",
	syncer.Foreign:     "credsync leaves alone what it does not own; to see what could be taken over:",
	syncer.Canceled:    "run it again; what was sent without an answer is looked at anew",
	syncer.Internal:    "this should not happen; please report it with the log",
}

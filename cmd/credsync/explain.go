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
	out.WriteString(wrap(b.String(), columns(r.w)))
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
	if cure := t.reason.Cure(); cure != "" {
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

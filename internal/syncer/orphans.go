package syncer

import (
	"cmp"
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

// orphanTime bounds the search for orphans: nothing waits for it but the next
// run.
const orphanTime = 30 * time.Second

// orphans finds what is ours and stands on no job's list. A list that could not
// be read whole would make orphans of good secrets, so then there are none.
func (p *pass) orphans(ctx context.Context) {
	if !p.whole || ctx.Err() != nil {
		return
	}
	var err error
	defer p.contain(&err)
	ctx, cancel := context.WithTimeout(ctx, orphanTime)
	defer cancel()
	for _, job := range p.job.Neighbours {
		entries, err := job.Skills(ctx)
		if err != nil || !p.know(job, entries) {
			p.log.Info("orphans not looked for: a list is not whole", zap.String("list_of", job.Name), zap.Error(err))
			return
		}
	}
	for _, t := range p.targets {
		t.roll.sort()
		p.summary.Orphans = append(p.summary.Orphans, p.strays(ctx, t)...)
	}
	slices.SortFunc(p.summary.Orphans, func(a, b Orphan) int {
		return cmp.Or(cmp.Compare(a.Sink, b.Sink), cmp.Compare(a.Name, b.Name))
	})
}

// know puts on the rolls of our targets the names that another job's entries
// give there. It reports whether every entry has its names.
func (p *pass) know(job Job, entries []source.Entry) bool {
	for _, shared := range job.Targets {
		ours := p.target(shared.Name)
		for _, e := range entries {
			name, err := shared.Names.Render(p.subject(&e))
			if e.Err != nil || err != nil {
				return false
			}
			if ours != nil {
				ours.roll.add(name)
			}
		}
	}
	return true
}

// strays returns what of ours stands in t beside the names on its roll.
func (p *pass) strays(ctx context.Context, t *target) []Orphan {
	err := t.err
	ctx, end := p.span(ctx, deed{what: "orphans", sink: t.Name})
	defer func() { end(err) }()
	switch s := t.Sink.(type) {
	case sink.Orphaner:
		var found map[string]sink.State
		found, err = s.Orphans(ctx, p.Instance, t.roll.has)
		for name, state := range found {
			p.stray(t, name, state)
		}
	case sink.Lister:
		if t.listed == nil && err == nil { // not asked before, because it may lag
			err = s.List(ctx, p.Instance, func(name string, state sink.State) { p.stray(t, name, state) })
		}
	}
	if err != nil {
		p.log.Info("orphans not looked for", zap.String("sink", t.Name), zap.Error(err))
		return nil
	}
	// What was listed before may be on the roll of another job.
	return slices.DeleteFunc(t.strays, func(o Orphan) bool { return t.roll.has(o.Name) })
}

// stray keeps what may be an orphan of t.
func (p *pass) stray(t *target, name string, s sink.State) {
	if !t.roll.has(name) && t.mine.MatchString(name) && s.Owner.Instance == p.Instance {
		t.strays = append(t.strays, Orphan{Sink: t.Name, Name: name, Skill: s.Owner.Skill})
	}
}

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
func (p *pass) orphans(ctx context.Context, entries []source.Entry) {
	if !p.whole || ctx.Err() != nil {
		return
	}
	var err error
	defer p.contain(&err)
	ctx, cancel := context.WithTimeout(ctx, orphanTime)
	defer cancel()
	known := make(map[string]map[string]bool)
	if !p.know(known, p.job, entries) {
		return
	}
	for _, job := range p.job.Neighbours {
		entries, err := job.Skills(ctx)
		if err != nil || !p.know(known, job, entries) {
			p.log.Info("orphans not looked for: a list is not whole", zap.String("list_of", job.Name), zap.Error(err))
			return
		}
	}
	for _, t := range p.targets {
		p.summary.Orphans = append(p.summary.Orphans, p.strays(ctx, t, known[t.Name])...)
	}
	slices.SortFunc(p.summary.Orphans, func(a, b Orphan) int {
		return cmp.Or(cmp.Compare(a.Sink, b.Sink), cmp.Compare(a.Name, b.Name))
	})
}

// know adds to known, by sink, the names that job's entries render to. It
// reports whether every entry has its names.
func (p *pass) know(known map[string]map[string]bool, job Job, entries []source.Entry) bool {
	for _, t := range job.Targets {
		if known[t.Name] == nil {
			known[t.Name] = make(map[string]bool)
		}
		for _, e := range entries {
			name, err := t.Names.Render(sink.Subject{Skill: e.Skill, Label: e.Label, Instance: p.Instance})
			if e.Err != nil || err != nil {
				return false
			}
			known[t.Name][name] = true
		}
	}
	return true
}

// strays returns what of ours stands in t beside the known names.
func (p *pass) strays(ctx context.Context, t *target, known map[string]bool) []Orphan {
	found, err := t.listed, t.err
	switch s := t.Sink.(type) {
	case sink.Orphaner:
		found, err = s.Orphans(ctx, p.Instance, known)
	case sink.Lister:
		if found == nil && err == nil { // not asked before, because it may lag
			found, err = s.List(ctx, p.Instance)
		}
	}
	if err != nil {
		p.log.Info("orphans not looked for", zap.String("sink", t.Name), zap.Error(err))
		return nil
	}
	mine := t.Names.Matcher(p.Instance)
	var strays []Orphan
	for name, state := range found {
		if !known[name] && mine.MatchString(name) && state.Owner.Instance == p.Instance {
			strays = append(strays, Orphan{Sink: t.Name, Name: name, Skill: state.Owner.Skill})
		}
	}
	return strays
}

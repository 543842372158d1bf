package syncer

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/sink"
)

// listShare is the part of the look's time that listings may take: one that
// hangs must leave the other sinks theirs.
const listShare = 0.5

// list asks each sink that can for a listing. It is left out where it may lag
// behind what we wrote ourselves: right after another run, and when healing.
func (p *pass) list(ctx context.Context) {
	if p.opts.Trigger == TriggerHeal || len(p.opts.Only) > 0 || p.Memory.recent(p.job.Name, listLag) {
		return
	}
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(listShare*float64(time.Until(end))))
		defer cancel()
	}
	var wg sync.WaitGroup
	for _, t := range p.targets {
		lister, ok := t.Sink.(sink.Lister)
		if !ok {
			continue
		}
		wg.Go(func() { p.listOne(ctx, t, lister) })
	}
	wg.Wait()
}

func (p *pass) listOne(ctx context.Context, t *target, lister sink.Lister) {
	var err error
	defer func() {
		if err != nil {
			t.listed, t.strays = nil, nil
		}
		switch {
		case errors.Is(err, sink.ErrDenied):
			// Costs a call per name, but a narrow policy still works.
			p.log.Warn("listing denied, inspecting each name", zap.String("sink", t.Name), zap.Error(err))
		case err != nil:
			t.err = err
		}
	}()
	ctx, end := p.span(ctx, deed{what: "list", sink: t.Name})
	defer func() { end(err) }()
	defer p.contain(&err)
	t.listed = make(map[uint64]sighting)
	err = lister.List(ctx, p.Instance, func(name string, s sink.State) { p.sight(t, name, s) })
}

// sight keeps of a listing what may save a look: the state of a name on the
// roll that is whole. Any other name may be an orphan.
func (p *pass) sight(t *target, name string, s sink.State) {
	switch {
	case !t.roll.has(name):
		p.stray(t, name, s)
	case s.Owner.Instance == p.Instance && s.Exists && !s.Deleted && s.Fingerprint != "":
		t.listed[t.roll.mark(name, s.Owner.Skill)] = sighting{s.Fingerprint, s.Version}
	}
}

// sighted fills w.prev from the listing if that shows nothing to do: a write is
// decided on nothing older than a look at the sink itself.
func (w *work) sighted() bool {
	t := w.target
	s, ok := t.listed[t.roll.mark(w.name, w.entry.Skill)]
	if !ok || s.fingerprint != w.record.Fingerprint {
		return false
	}
	w.prev = sink.State{Exists: true, Owner: w.record.Owner, Fingerprint: s.fingerprint, Key: w.record.Key, Version: s.version}
	return true
}

package syncer

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

// update writes what was held back, if the brake lets it. What a conflict turns
// into another update comes back here and is judged again.
func (p *pass) update(ctx context.Context) {
	p.summary.Plan = p.planID(p.held)
	for len(p.held) > 0 {
		updates := p.held
		p.held = nil
		if ctx.Err() != nil { // half a look is nothing to judge by
			for _, h := range updates {
				p.skip(h.entry, h.target, ctx.Err())
			}
			return
		}
		p.accepted = ""
		if why := p.judge(updates); why != "" {
			id := p.planID(updates)
			if !slices.Contains(p.opts.Accepted, id) {
				p.stop(ctx, updates, id, why)
				return
			}
			p.accepted = id
		}
		p.writeAll(ctx, updates)
	}
}

func (p *pass) writeAll(ctx context.Context, updates []held) {
	var g errgroup.Group
	g.SetLimit(max(p.job.Workers, 1))
	for i, h := range updates {
		updates[i] = held{} // its pair is held no longer than it takes to write it
		g.Go(func() error {
			switch w, err := p.resume(h); {
			case err != nil:
				p.result(h.entry, h.target, p.without(Failed, err))
			case p.opts.DryRun:
				p.result(h.entry, h.target, Result{Outcome: Updated, Version: w.prev.Version})
			default:
				p.write(ctx, w)
			}
			return nil
		})
	}
	_ = g.Wait()
}

// skip reports an update that is not reached.
func (p *pass) skip(e *source.Entry, t *target, err error) {
	p.result(e, t, p.without(Skipped, fmt.Errorf("not written: %w", err)))
}

// stop reports that the brake refused what was held back.
func (p *pass) stop(ctx context.Context, updates []held, id, why string) {
	p.summary.Brake, p.summary.Plan = why, id
	if err := p.auditLate(ctx, audit.Record{Event: audit.RunRefused, Plan: id, Reason: string(Brake)}); err != nil {
		p.fault(err)
	}
	for _, h := range updates {
		p.result(h.entry, h.target, Result{
			Outcome: Refused, Reason: Brake, Version: unpacked(h.prev, sink.Owner{}).Version,
			Error: fmt.Sprintf("%s; to let exactly these updates through: --accept-plan %s", why, id),
		})
	}
}

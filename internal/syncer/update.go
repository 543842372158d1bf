package syncer

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/credsync/credsync/internal/audit"
)

// hold keeps an update until the look is over.
func (p *pass) hold(w *work) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = append(p.held, w)
}

// update writes what was held back, if the brake lets it. What a conflict turns
// into another update comes back here and is judged again.
func (p *pass) update(ctx context.Context) {
	p.summary.Plan = planID(p.job.Name, p.held)
	for len(p.held) > 0 {
		held := p.held
		p.held = nil
		if ctx.Err() != nil { // half a look is nothing to judge by
			p.drop(held, fmt.Errorf("not written: %w", ctx.Err()))
			return
		}
		id := planID(p.job.Name, held)
		p.accepted = ""
		if why := p.judge(held); why != "" {
			if !slices.Contains(p.opts.Accepted, id) {
				p.stop(ctx, held, id, why)
				return
			}
			p.accepted = id
		}
		p.writeAll(ctx, held)
	}
}

func (p *pass) writeAll(ctx context.Context, held []*work) {
	var g errgroup.Group
	g.SetLimit(max(p.job.Workers, 1))
	for _, w := range held {
		g.Go(func() error {
			if p.opts.DryRun {
				p.result(w.item, w.target, Result{Outcome: Updated, Version: w.prev.Version})
			} else {
				p.write(ctx, w)
			}
			return nil
		})
	}
	_ = g.Wait()
}

// drop reports updates that are not reached.
func (p *pass) drop(held []*work, err error) {
	for _, w := range held {
		p.result(w.item, w.target, p.without(Skipped, err))
	}
}

// stop reports that the brake refused what was held back.
func (p *pass) stop(ctx context.Context, held []*work, id, why string) {
	p.summary.Brake, p.summary.Plan = why, id
	if err := p.auditLate(ctx, audit.Record{Event: audit.RunRefused, Plan: id, Reason: string(Brake)}); err != nil {
		p.fault(err)
	}
	for _, w := range held {
		p.result(w.item, w.target, Result{
			Outcome: Refused, Reason: Brake, Version: w.prev.Version,
			Error: fmt.Sprintf("%s; to let exactly these updates through: --accept-plan %s", why, id),
		})
	}
}

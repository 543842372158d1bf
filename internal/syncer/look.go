package syncer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

// look visits every entry: it fetches, compares, writes what is missing or was
// altered, and holds back what is to be updated. Visits begin until ctx ends;
// writes that have begun go on under run. The order is shuffled, so that no
// skill is always the last when time runs out.
func (p *pass) look(ctx, run context.Context, entries []source.Entry) {
	rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	var g errgroup.Group
	g.SetLimit(max(p.job.Workers, 1))
	for i := range entries {
		g.Go(func() error {
			p.visit(ctx, run, &entries[i])
			return nil
		})
	}
	_ = g.Wait()
	if p.whole && ctx.Err() == nil {
		for _, t := range p.targets {
			p.Memory.owns(p.place(t), int(t.owned.Load()))
		}
	}
}

func (p *pass) visit(ctx, run context.Context, e *source.Entry) {
	switch {
	case e.Err != nil:
		p.all(e, Failed, fmt.Errorf("%w: %w", source.ErrInvalid, e.Err))
		return
	case ctx.Err() != nil:
		p.all(e, Skipped, fmt.Errorf("not reached: %w", ctx.Err()))
		return
	}
	ctx, end := p.span(ctx, deed{what: "skill", skill: e.Skill})
	defer func() { end(nil) }()
	run = p.underSpan(run, ctx)
	pair, err := p.fetch(ctx, e.Skill)
	p.brake.fetch(err)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		p.all(e, Skipped, err) // the source saw that its turn would come too late
		return
	case err != nil:
		p.all(e, Failed, err)
		return
	}
	proof := sync.OnceValue(func() error { return p.prove(ctx, pair) })
	settle := func(t *target) { p.settle(ctx, run, &work{entry: e, target: t, pair: &pair, proof: proof}) }
	var others sync.WaitGroup
	for _, t := range p.targets[1:] {
		others.Go(func() { settle(t) })
	}
	settle(p.targets[0]) // mostly the only one
	others.Wait()
}

func (p *pass) fetch(ctx context.Context, id credential.SkillID) (pair credential.Credential, err error) {
	ctx, end := p.span(ctx, deed{what: "fetch", skill: id})
	defer func() { end(err) }()
	defer p.contain(&err)
	err = p.source.do(func() error {
		pair, err = p.job.Source.Fetch(ctx, id)
		return err
	})
	return pair, err
}

// prove asks Login with Amazon whether it takes the pair. Only a clear no
// counts: a pair that could not be proven is published, loudly.
func (p *pass) prove(ctx context.Context, pair credential.Credential) error {
	if p.job.Verify == nil {
		return nil
	}
	ctx, end := p.span(ctx, deed{what: "verify", skill: pair.Skill})
	err := p.proofs.do(func() error { return p.job.Verify.Verify(ctx, pair) })
	end(err)
	switch {
	case ctx.Err() != nil: // no answer for want of time is no answer
		return ctx.Err()
	case errors.Is(err, source.ErrRejected):
		p.brake.reject()
		return err
	case err != nil:
		p.log.Warn("pair could not be proven, publishing it all the same",
			zap.String("skill", string(pair.Skill)), zap.Error(err))
	}
	return nil
}

// settle brings one name of one sink to where it should be, or holds it back.
func (p *pass) settle(ctx, run context.Context, w *work) {
	var err error
	defer func() {
		if err != nil {
			p.result(w.entry, w.target, p.without(Failed, err))
		}
	}()
	defer p.contain(&err)
	t := w.target
	if err = w.prepare(p); err != nil {
		return
	}
	if err = p.inspect(ctx, w); err != nil {
		return
	}
	if w.prev.Owner == w.record.Owner && w.prev.Exists {
		t.owned.Add(1)
	}
	d := decide(w.prev, w.record.Owner, w.record.Fingerprint)
	if !d.writes() {
		p.leave(w, d)
		return
	}
	if d.outcome != Created && p.Memory.fought(p.contest(w), w.record.Fingerprint) {
		err = fmt.Errorf("%w; find out who else writes there, then: credsync sync --only %s", errFought, w.entry.Skill)
		return
	}
	if err = w.proof(); err != nil {
		return
	}
	p.brake.renew(w.entry, w.pair.ClientSecret)
	w.outcome, w.action = d.outcome, d.outcome
	switch {
	case d.outcome == Updated:
		p.hold(w)
	case p.opts.DryRun:
		p.result(w.entry, w.target, Result{Outcome: d.outcome, Version: w.prev.Version})
	default:
		p.write(run, w)
	}
}

// inspect fills w.prev from the listing where that will do, else from the sink.
func (p *pass) inspect(ctx context.Context, w *work) error {
	if w.target.err != nil {
		return w.target.err
	}
	if w.sighted() {
		return nil
	}
	return p.inspectNow(ctx, w)
}

// inspectNow fills w.prev from the sink itself.
func (p *pass) inspectNow(ctx context.Context, w *work) (err error) {
	ctx, end := p.span(ctx, w.deed("inspect"))
	defer func() { end(err) }()
	return w.target.breaker.do(func() (err error) {
		w.seen = time.Now()
		w.prev, err = w.target.Sink.Inspect(ctx, w.name)
		return err
	})
}

// leave reports a name that needs no write.
func (p *pass) leave(w *work, d decision) {
	if d.outcome == Unchanged {
		p.Memory.calm(p.contest(w))
		p.result(w.entry, w.target, Result{Outcome: Unchanged, Version: w.prev.Version})
		return
	}
	p.result(w.entry, w.target, Result{Outcome: Refused, Reason: Foreign, Version: w.prev.Version, Error: d.why})
}

// contain turns a panic into an error of the one name it happened at. The value
// of the panic is not shown, because nobody knows what it holds.
func (p *pass) contain(err *error) {
	if v := recover(); v != nil {
		p.log.Error("panic", zap.String("type", fmt.Sprintf("%T", v)), zap.ByteString("stack", debug.Stack()))
		*err = fmt.Errorf("panic (%T); the log has the stack; please report it", v)
	}
}

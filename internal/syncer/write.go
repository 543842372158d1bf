package syncer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

const (
	// maxDecisions is how often one name is decided on anew after conflicts.
	maxDecisions = 3
	// writeGrace is what a write in flight still gets when the run is stopped:
	// less than the 10 s within which the daemon has to be gone.
	writeGrace = 8 * time.Second
)

// errNoTrail: what can't be put on record is not done.
var errNoTrail = errors.New("not written, because the audit trail can't be")

// A work is one name of one sink that may have to be written.
type work struct {
	item      *item
	target    *target
	pair      credential.Credential
	proof     func() error
	record    sink.Record
	prev      sink.State
	outcome   Outcome // of the first decision: what a lost answer leads to afterwards changes nothing about it
	decisions int
}

func (w *work) name() string { return w.item.names[w.target.index] }
func (w *work) place() place { return place{w.target.Name, w.name()} }

// prepare makes the record that should stand at the name.
func (w *work) prepare(p *pass) (err error) {
	t := w.target
	owner := sink.Owner{Instance: p.Instance, Skill: w.item.subject.Skill}
	w.record, err = t.Form.Record(p.Key, owner, w.name(), fill(t.Fields, w.pair, w.item.subject))
	return err
}

func (p *pass) hold(w *work) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = append(p.held, w)
}

// update writes what was held back, if the brake lets it. What a conflict turns
// into another update comes back here and is judged again.
func (p *pass) update(ctx context.Context) {
	for len(p.held) > 0 {
		held := p.held
		p.held = nil
		p.summary.Plan = planID(p.job.Name, held)
		if why := p.brake.judge(p.job.MaxChanges, held); why != "" {
			if !slices.Contains(p.opts.Accepted, p.summary.Plan) {
				p.stop(ctx, held, why)
				return
			}
			p.accepted = p.summary.Plan
		}
		var g errgroup.Group
		g.SetLimit(max(p.job.Workers, 1))
		for _, w := range held {
			g.Go(func() error {
				if p.opts.DryRun {
					p.result(w.item, w.target, Result{Outcome: Updated, Version: w.prev.Version})
					return nil
				}
				p.write(ctx, w)
				return nil
			})
		}
		_ = g.Wait()
	}
}

// stop reports that the brake refused what was held back.
func (p *pass) stop(ctx context.Context, held []*work, why string) {
	p.summary.Brake = why
	if err := p.audit(ctx, audit.Record{Event: audit.RunRefused, Reason: string(Brake), Plan: p.summary.Plan}); err != nil {
		p.summary.Err = err
	}
	for _, w := range held {
		p.result(w.item, w.target, Result{
			Outcome: Refused, Reason: Brake, Version: w.prev.Version,
			Error: fmt.Sprintf("%s; to let exactly these updates through: --accept-plan %s", why, p.summary.Plan),
		})
	}
}

// write stores w and reports it, or hands it back to the brake. Once begun it
// outlives the end of ctx by writeGrace, so that no write is cut in the middle.
func (p *pass) write(ctx context.Context, w *work) {
	var err error
	defer func() {
		switch {
		case errors.Is(err, errNoTrail):
			p.result(w.item, w.target, p.without(Skipped, err))
		case err != nil:
			p.result(w.item, w.target, p.without(Failed, err))
		}
	}()
	defer p.contain(&err)
	if ctx.Err() != nil {
		p.result(w.item, w.target, p.without(Skipped, fmt.Errorf("not written: %w", ctx.Err())))
		return
	}
	ctx, cancel := outlive(ctx, writeGrace)
	defer cancel()
	action := w.outcome
	for {
		var state sink.State
		if state, err = p.put(ctx, w, action); err == nil {
			p.written(w, action, state)
			return
		}
		if w.decisions++; !errors.Is(err, sink.ErrConflict) || w.decisions >= maxDecisions {
			return
		}
		if err = p.inspectAgain(ctx, w); err != nil {
			return
		}
		d := decide(w.prev, w.record.Owner, w.record.Fingerprint)
		switch d.outcome {
		case Unchanged: // what we sent had arrived after all, or another instance of us was quicker
			p.written(w, action, w.prev)
			return
		case Refused:
			p.leave(w, d)
			return
		case Updated:
			p.hold(w)
			return
		}
		action = d.outcome
	}
}

func (p *pass) inspectAgain(ctx context.Context, w *work) (err error) {
	w.prev, err = w.target.Sink.Inspect(ctx, w.name())
	return err
}

func (p *pass) written(w *work, action Outcome, state sink.State) {
	if action == Repaired {
		p.Memory.repaired(w.place())
	} else {
		p.Memory.calm(w.place())
	}
	p.result(w.item, w.target, Result{Outcome: w.outcome, Version: state.Version})
}

// actions names what an outcome does, for the audit trail.
var actions = map[Outcome]audit.Action{Created: audit.Create, Updated: audit.Update, Repaired: audit.Repair}

// put makes one attempt between its intent and its outcome in the audit trail.
func (p *pass) put(ctx context.Context, w *work, action Outcome) (sink.State, error) {
	t := w.target
	record := audit.Record{
		Event: audit.WriteIntent, Skill: string(w.item.subject.Skill), Sink: t.Name, Name: w.name(),
		Action: actions[action], PrevVersion: w.prev.Version, Fingerprint: string(w.record.Fingerprint),
	}
	if err := p.intent(ctx, record); err != nil {
		return sink.State{}, err
	}
	var state sink.State
	start := time.Now()
	err := t.breaker.do(func() (err error) {
		state, err = t.Sink.Put(ctx, w.name(), w.record, w.prev)
		return err
	})
	record.Event, record.Took, record.Version = audit.WriteOutcome, time.Since(start), state.Version
	record.Outcome = string(action)
	if err != nil {
		record.Outcome, record.Reason = string(Failed), string(reasonOf(err))
	}
	if auditErr := p.audit(ctx, record); auditErr != nil {
		p.noTrail.Store(true)
		p.mu.Lock()
		p.summary.Err = auditErr
		p.mu.Unlock()
	}
	return state, err
}

// intent appends the record that announces a write, or says that there must be
// none. After the first failure nothing is tried any more in this run.
func (p *pass) intent(ctx context.Context, record audit.Record) error {
	if p.noTrail.Load() {
		return fmt.Errorf("%w (it failed earlier in this run)", errNoTrail)
	}
	if err := p.audit(ctx, record); err != nil {
		p.noTrail.Store(true)
		return fmt.Errorf("%w: %w", errNoTrail, err)
	}
	return nil
}

// outlive returns a context that ends grace after ctx does.
func outlive(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(context.Cause(ctx))
		case <-longer.Done():
		}
	})
	return longer, func() { stop(); cancel(nil) }
}

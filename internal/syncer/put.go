package syncer

import (
	"context"
	"fmt"
	"time"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/sink"
)

// actions names what an outcome does, for the audit trail.
var actions = map[Outcome]audit.Action{Created: audit.Create, Updated: audit.Update, Repaired: audit.Repair}

// record is what the trail says of a write.
func (p *pass) record(w *work, event audit.Event) audit.Record {
	return audit.Record{
		Event: event, Skill: string(w.entry.Skill), Sink: w.target.Name, Name: w.name,
		Action: actions[w.action], PrevVersion: w.prev.Version, Fingerprint: string(w.record.Fingerprint),
	}
}

// put makes one attempt between its intent and its outcome in the audit trail.
func (p *pass) put(ctx context.Context, w *work) (state sink.State, err error) {
	if err := p.intent(ctx, p.record(w, audit.WriteIntent)); err != nil {
		return sink.State{}, err
	}
	outcome, start := p.record(w, audit.WriteOutcome), time.Now()
	outcome.Outcome = string(w.action)
	defer func() {
		outcome.Took = time.Since(start)
		p.conclude(ctx, outcome, state, err)
	}()
	spanCtx, end := p.span(ctx, w.deed("put"))
	defer func() { end(err) }()
	defer p.contain(&err)
	err = w.target.breaker.do(func() (err error) {
		state, err = w.target.Sink.Put(spanCtx, w.name, w.record, w.prev)
		return err
	})
	return state, err
}

// conclude appends the outcome of a write. Where the trail doesn't take it the
// write has happened all the same: that is said, and it was the last one.
func (p *pass) conclude(ctx context.Context, r audit.Record, state sink.State, err error) {
	r.Version = state.Version
	if err != nil {
		r.Outcome, r.Reason = string(Failed), string(reasonOf(err))
	}
	if err := p.auditLate(ctx, r); err != nil {
		p.noTrail.Store(true)
		p.fault(fmt.Errorf("a write is not on record: %w", err))
	}
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

package syncer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

const (
	// maxDecisions is how often one name is decided on anew after conflicts.
	maxDecisions = 3
	// maxAge is how old a look may be that a write is decided on. Updates that
	// were held back longer are looked at again, because a mark can change
	// without the version that a sink compares.
	maxAge = 10 * time.Second
	// writeGrace is what a write in flight still gets when the run is stopped,
	// and lateAudit what a record of it gets. Together with what closing the
	// trail takes they stay below the 10 s within which the daemon has to be gone.
	writeGrace = 4 * time.Second
	lateAudit  = time.Second
)

// errNoTrail: what can't be put on record is not done.
var errNoTrail = errors.New("not written, because the audit trail can't be")

// errFought: somebody else keeps writing there. A heal run would only go on.
var errFought = fmt.Errorf("repaired in %d runs running and altered again, so left alone: %w", maxRepairs, sink.ErrConflict)

// A work is one name of one sink that may have to be written.
type work struct {
	entry     *source.Entry
	target    *target
	name      string
	pair      *credential.Credential
	proof     func() error
	record    sink.Record
	prev      sink.State
	outcome   Outcome // of the first decision: what a lost answer leads to afterwards changes nothing about it
	action    Outcome // of the last decision: what is to be written now
	decisions int
	seen      time.Time // when prev was true
}

// deed is one call of the sink about w.
func (w *work) deed(what string) deed { return deed{what, w.entry.Skill, w.target.Name, w.name} }

// contest names w for what is remembered of repairs.
func (p *pass) contest(w *work) contest {
	return contest{p.job.Name, place{w.target.Name, w.name}}
}

// prepare makes the record that should stand at the name.
func (w *work) prepare(p *pass) (err error) {
	t := w.target
	w.name = p.name(t, w.entry)
	owner := sink.Owner{Instance: p.Instance, Skill: w.entry.Skill}
	w.record, err = t.Form.Record(p.Key, owner, w.name, fill(t.Fields, *w.pair, p.subject(w.entry)))
	return err
}

// write stores w and reports it, or hands it back to the brake. Once begun it
// outlives the end of run by writeGrace, so that no write is cut in the middle.
func (p *pass) write(run context.Context, w *work) {
	var err error
	defer func() {
		switch {
		case err == nil:
		case errors.Is(err, errNoTrail):
			p.result(w.entry, w.target, p.without(Skipped, err))
		case errors.Is(err, context.Canceled) && errors.Is(run.Err(), context.DeadlineExceeded):
			p.result(w.entry, w.target, p.without(Failed, fmt.Errorf("cut at the end of the run's time: %w", run.Err())))
		default:
			p.result(w.entry, w.target, p.without(Failed, err))
		}
	}()
	defer p.contain(&err)
	if run.Err() != nil {
		p.skip(w.entry, w.target, run.Err())
		return
	}
	ctx, cancel := outlive(run, writeGrace)
	defer cancel()
	done := false
	if time.Since(w.seen) > maxAge {
		done, err = p.reconsider(ctx, w)
	}
	for !done && err == nil {
		done, err = p.tryWrite(ctx, w)
	}
}

// tryWrite makes one attempt and, after a conflict, the next decision. It
// reports whether w has been dealt with.
func (p *pass) tryWrite(ctx context.Context, w *work) (done bool, err error) {
	state, err := p.put(ctx, w)
	if err == nil {
		p.written(w, state)
		return true, nil
	}
	if w.decisions++; !errors.Is(err, sink.ErrConflict) || w.decisions >= maxDecisions {
		return false, err
	}
	return p.reconsider(ctx, w)
}

// reconsider looks again and decides anew. It reports whether w has been dealt
// with; if not, the same write is due as before, or another one.
func (p *pass) reconsider(ctx context.Context, w *work) (done bool, err error) {
	before := w.prev
	if err := p.inspectNow(ctx, w); err != nil || w.prev == before {
		return false, err
	}
	switch d := decide(w.prev, w.record.Owner, w.record.Fingerprint); d.outcome {
	case Unchanged:
		// What we sent had arrived after all, or a twin of ours was quicker.
		arrived := p.record(w, audit.WriteOutcome)
		arrived.Outcome = string(w.action)
		p.conclude(ctx, arrived, w.prev, nil)
		p.written(w, w.prev)
		return true, nil
	case Refused:
		p.leave(w, d)
		return true, nil
	case Updated:
		w.action = Updated
		p.hold(w)
		return true, nil
	default:
		w.action = d.outcome
		return false, nil
	}
}

func (p *pass) written(w *work, state sink.State) {
	if w.action == Created {
		p.Memory.calm(p.contest(w))
	} else {
		p.Memory.wrote(p.contest(w), w.record.Fingerprint, w.action == Repaired)
	}
	switch {
	case w.action != Updated:
	case p.accepted == "":
		p.Memory.updated(p.place(w.target))
	default: // what the operator let through does not count against what comes next
		p.mu.Lock()
		p.summary.Accepted = p.accepted
		p.mu.Unlock()
	}
	p.result(w.entry, w.target, Result{Outcome: w.outcome, Version: state.Version})
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

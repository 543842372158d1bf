package syncer

import (
	"context"
	"fmt"
	"iter"
	"time"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/audit"
)

// reconcileTime bounds the search for what was announced and not concluded. What
// it doesn't come to is left to the next run.
const reconcileTime = 10 * time.Second

// reconciled is the outcome of a write whose writer died before it could tell.
const reconciled = "reconciled"

// A ledger is a Trail that can be read: see [audit.Trail.Abandoned].
type ledger interface {
	Abandoned(ctx context.Context, wanted func(audit.Record) bool) iter.Seq2[audit.Record, error]
}

// reconcile concludes in the trail what dead runs have announced for the sinks
// of this job, with what stands there now. The pass itself doesn't depend on it.
func (p *pass) reconcile(ctx context.Context) {
	trail, ok := p.Trail.(ledger)
	if !ok || p.opts.DryRun {
		return
	}
	var err error
	defer func() {
		if err != nil {
			p.log.Warn("not all that was announced is concluded, the next run tries again", zap.Error(err))
		}
	}()
	defer p.contain(&err)
	ctx, cancel := context.WithTimeout(ctx, reconcileTime)
	defer cancel()
	down := make(map[string]bool) // sinks that gave no answer
	for intent, fault := range trail.Abandoned(ctx, p.concludes) {
		switch {
		case fault != nil:
			err = fault
		case !down[intent.Sink]:
			if fault := p.conclusion(ctx, intent); fault != nil {
				down[intent.Sink], err = true, fmt.Errorf("sink %s: %w", intent.Sink, fault)
			}
		}
	}
}

// concludes reports whether intent is for a name that this job may write. The
// trail is only a file: no other name is asked for because it says so.
func (p *pass) concludes(intent audit.Record) bool {
	t := p.target(intent.Sink)
	if t != nil && t.mine.MatchString(intent.Name) {
		return true
	}
	if intent.Job == p.job.Name && p.Memory.first(place{intent.Sink, intent.Name}) {
		p.log.Info("an announced write stays unconcluded: this job has no such sink or name any more",
			zap.String("of_run", intent.Run), zap.String("sink", intent.Sink), zap.String("name", intent.Name))
	}
	return false
}

func (p *pass) target(sinkName string) *target {
	for _, t := range p.targets {
		if t.Name == sinkName {
			return t
		}
	}
	return nil
}

// conclusion puts on record what stands where intent was to be carried out.
func (p *pass) conclusion(ctx context.Context, intent audit.Record) error {
	state, err := p.target(intent.Sink).Sink.Inspect(ctx, intent.Name)
	if err != nil {
		return err
	}
	r := intent
	if r.Event == audit.WriteIntent {
		r.Event = audit.WriteOutcome
	}
	r.Outcome, r.Version, r.Fingerprint = reconciled, state.Version, string(state.Fingerprint)
	p.log.Info("a stopped run left a write unconcluded", zap.String("of_run", r.Run),
		zap.String("sink", r.Sink), zap.String("name", r.Name), zap.String("version", r.Version))
	return p.Trail.Append(ctx, r)
}

package syncer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

// A pass is one run of one job while it lasts.
type pass struct {
	*Engine
	job      Job
	opts     Options
	rep      Reporter
	log      *zap.Logger
	source   *breaker
	proofs   *breaker
	targets  []*target
	brake    *brake
	accepted string      // the plan that is let through the brake now
	whole    bool        // the list has no bad line, and all of it is looked at
	noTrail  atomic.Bool // the audit trail failed: nothing is written any more

	mu       sync.Mutex // guards what follows, and calls of rep
	summary  Summary
	healable map[credential.SkillID]bool
	held     []held
}

// A target is a Target with what one pass knows of it.
type target struct {
	Target
	breaker *breaker
	mine    *regexp.Regexp      // the names that it can give
	roll    *roll               // the names that lists give it
	listed  map[uint64]sighting // by mark; nil where names are inspected one by one
	strays  []Orphan            // what else was listed
	err     error               // the sink is of no use in this pass
	owned   atomic.Int64        // names that the look found ours
}

func (e *Engine) newPass(job Job, opts Options, rep Reporter) *pass {
	id := uuid.Must(uuid.NewV7()).String()
	p := &pass{
		Engine: e, job: job, opts: opts, rep: rep,
		log:      e.Log.With(zap.String("job", job.Name), zap.String("run", id)),
		brake:    newBrake(),
		source:   &breaker{peer: "source", down: source.ErrUnavailable},
		proofs:   &breaker{peer: "Login with Amazon", down: source.ErrUnavailable},
		healable: make(map[credential.SkillID]bool),
		summary:  Summary{Run: id, Job: job.Name, Trigger: opts.Trigger, Shard: opts.Shard, Started: time.Now(), Counts: make(map[Outcome]int)},
	}
	for _, t := range job.Targets {
		p.targets = append(p.targets, &target{
			Target: t, mine: t.Names.Matcher(e.Instance), breaker: &breaker{peer: "sink " + t.Name, down: sink.ErrUnavailable},
		})
	}
	return p
}

func (p *pass) begin(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("not begun: %w", ctx.Err())
	}
	return p.audit(ctx, audit.Record{Event: audit.RunStart})
}

// take makes the entries of the list those of the pass.
func (p *pass) take(entries []source.Entry) []source.Entry {
	p.enroll(entries)
	if len(p.opts.Only) > 0 {
		entries = slices.DeleteFunc(entries, func(e source.Entry) bool { return !slices.Contains(p.opts.Only, e.Skill) })
	}
	if shard := p.opts.Shard; shard.partial() {
		entries = slices.DeleteFunc(entries, func(e source.Entry) bool { return !shard.holds(e) })
		if n := len(entries); n < brakeOwned && p.job.MaxChanges < 1 {
			p.log.Warn("too few skills in this shard for max_changes to be judged; take fewer shards", zap.Stringer("shard", shard), zap.Int("skills", n))
		}
	}
	p.whole = len(p.opts.Only) == 0 && !p.opts.Shard.partial() && !slices.ContainsFunc(entries, func(e source.Entry) bool { return e.Err != nil })
	p.summary.Skills = len(entries)
	return entries
}

// place names t for what is remembered of the job in it.
func (p *pass) place(t *target) place { return place{p.job.Name, t.Name} }

// result reports what became of e in t.
func (p *pass) result(e *source.Entry, t *target, r Result) {
	r.Skill, r.Label, r.Sink, r.Name = e.Skill, e.Label, t.Name, p.name(t, e)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.summary.Counts[r.Outcome]++
	if r.heals {
		p.healable[r.Skill] = true
	}
	p.rep.Result(r)
}

// all reports the same for e in every target.
func (p *pass) all(e *source.Entry, outcome Outcome, err error) {
	for _, t := range p.targets {
		r := p.without(outcome, err)
		r.Upstream = true
		p.result(e, t, r)
	}
}

// without is the result of a name that was not written because of err.
func (p *pass) without(outcome Outcome, err error) Result {
	reason := reasonOf(err)
	return Result{Outcome: outcome, Reason: reason, Error: err.Error(), heals: reason.heals() && !errors.Is(err, errFought)}
}

// fault notes what is wrong with the pass as a whole.
func (p *pass) fault(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.summary.Err = errors.Join(p.summary.Err, err)
}

// end returns the summary of the pass, which is over.
func (p *pass) end() Summary {
	p.summary.Took = time.Since(p.summary.Started)
	return p.summary
}

// finish closes the books of the pass. A trail that fails here changes nothing
// that was done, but the operator has to know.
func (p *pass) finish(ctx context.Context) Summary {
	p.summary.Healable = slices.Sorted(maps.Keys(p.healable))
	p.Memory.finished(p.job.Name)
	record := audit.Record{Event: audit.RunFinish, Plan: p.summary.Accepted, Took: time.Since(p.summary.Started)}
	if err := p.summary.Err; err != nil {
		record.Outcome, record.Reason = string(Failed), string(reasonOf(err))
	}
	if err := p.auditLate(ctx, record); err != nil {
		p.fault(err)
	}
	return p.end()
}

// audit appends r, completed by what all records of the pass share. A dry run
// leaves no trace.
func (p *pass) audit(ctx context.Context, r audit.Record) error {
	if p.opts.DryRun {
		return nil
	}
	r.Run, r.Job, r.Trigger = p.summary.Run, p.job.Name, string(p.opts.Trigger)
	return p.Trail.Append(ctx, r)
}

// auditLate appends what has happened already, also where ctx has ended: then
// the trail gets a moment, because the process is about to stop.
func (p *pass) auditLate(ctx context.Context, r audit.Record) error {
	late := context.WithoutCancel(ctx)
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		late, cancel = context.WithTimeout(late, lateAudit)
		defer cancel()
	}
	return p.audit(late, r)
}

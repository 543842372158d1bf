package syncer

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	held     []*work
}

// A target is a Target with what one pass knows of it.
type target struct {
	Target
	index   int // in item.names
	breaker *breaker
	listed  map[string]sink.State // nil where names are inspected one by one
	err     error                 // the sink is of no use in this pass
	owned   atomic.Int64          // names that the look found ours
}

// An item is one line of the skill list on its way through a pass.
type item struct {
	subject sink.Subject
	names   []string // one per target
	err     error
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
		summary:  Summary{Run: id, Job: job.Name, Started: time.Now(), Counts: make(map[Outcome]int)},
	}
	for i, t := range job.Targets {
		p.targets = append(p.targets, &target{Target: t, index: i, breaker: &breaker{peer: "sink " + t.Name, down: sink.ErrUnavailable}})
	}
	return p
}

func (p *pass) begin(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("not begun: %w", ctx.Err())
	}
	return p.audit(ctx, audit.Record{Event: audit.RunStart})
}

// items turns the lines of the list into items: the names that each line gives,
// and what is wrong with it. Two skills with one name are both left alone,
// because nobody but the operator knows which of them is meant.
func (p *pass) items(entries []source.Entry) []*item {
	items := make([]*item, len(entries))
	first := make(map[place]*item)
	for i, entry := range entries {
		it := &item{
			subject: sink.Subject{Skill: entry.Skill, Label: entry.Label, Instance: p.Instance},
			names:   make([]string, len(p.targets)), err: entry.Err,
		}
		items[i] = it
		for j, t := range p.targets {
			if it.err != nil {
				break
			}
			if it.names[j], it.err = t.Names.Render(it.subject); it.err != nil {
				it.err = fmt.Errorf("%s: sink %s: %w", entry.Where, t.Name, it.err)
				break
			}
			at := place{t.Name, it.names[j]}
			if twin := first[at]; twin != nil {
				it.err = fmt.Errorf("%s: sink %s: skills %s and %s both render to %s; give them labels or a template that tell them apart",
					entry.Where, t.Name, twin.subject.Skill, it.subject.Skill, at.name)
				twin.err = it.err
			}
			first[at] = it
		}
	}
	items = p.chosen(items)
	p.whole = len(p.opts.Only) == 0 && !slices.ContainsFunc(items, func(it *item) bool { return it.err != nil })
	p.summary.Skills = len(items)
	return items
}

// chosen returns the items that Options.Only names, or all.
func (p *pass) chosen(items []*item) []*item {
	if len(p.opts.Only) == 0 {
		return items
	}
	return slices.DeleteFunc(items, func(it *item) bool { return !slices.Contains(p.opts.Only, it.subject.Skill) })
}

// place names t for what is remembered of the job in it.
func (p *pass) place(t *target) place { return place{p.job.Name, t.Name} }

// result reports what became of it in t.
func (p *pass) result(it *item, t *target, r Result) {
	r.Skill, r.Label, r.Sink, r.Name = it.subject.Skill, it.subject.Label, t.Name, it.names[t.index]
	p.mu.Lock()
	defer p.mu.Unlock()
	p.summary.Counts[r.Outcome]++
	if r.heals {
		p.healable[r.Skill] = true
	}
	p.rep.Result(r)
}

// all reports the same for it in every target.
func (p *pass) all(it *item, outcome Outcome, err error) {
	for _, t := range p.targets {
		r := p.without(outcome, err)
		r.Upstream = true
		p.result(it, t, r)
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

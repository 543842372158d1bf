package syncer

import (
	"context"
	"fmt"
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
	targets  []*target
	brake    *brake
	accepted string      // the plan that the operator let through the brake
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
		healable: make(map[credential.SkillID]bool),
		summary:  Summary{Run: id, Job: job.Name, Started: time.Now(), Counts: make(map[Outcome]int)},
	}
	for i, t := range job.Targets {
		p.targets = append(p.targets, &target{Target: t, index: i, breaker: &breaker{peer: "sink " + t.Name, down: sink.ErrUnavailable}})
	}
	return p
}

func (p *pass) begin(ctx context.Context) error {
	return p.audit(ctx, audit.Record{Event: audit.RunStart})
}

// plan turns the lines of the list into items: the names that each line gives,
// and what is wrong with it. Two skills with one name are both left alone,
// because nobody but the operator knows which of them is meant.
func (p *pass) plan(entries []source.Entry) []*item {
	entries = p.chosen(entries)
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
	p.whole = len(p.opts.Only) == 0 && !slices.ContainsFunc(items, func(it *item) bool { return it.err != nil })
	p.summary.Skills = len(items)
	return items
}

// chosen returns the entries that Options.Only names, or all.
func (p *pass) chosen(entries []source.Entry) []source.Entry {
	if len(p.opts.Only) == 0 {
		return entries
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e source.Entry) bool {
		return e.Err != nil || !slices.Contains(p.opts.Only, e.Skill)
	})
}

// result reports what became of it in t.
func (p *pass) result(it *item, t *target, r Result) {
	r.Skill, r.Label, r.Sink, r.Name = it.subject.Skill, it.subject.Label, t.Name, it.names[t.index]
	p.mu.Lock()
	defer p.mu.Unlock()
	p.summary.Counts[r.Outcome]++
	if (r.Outcome == Failed || r.Outcome == Skipped) && r.Reason.heals() {
		p.healable[r.Skill] = true
	}
	p.rep.Result(r)
}

// all reports the same for it in every target.
func (p *pass) all(it *item, outcome Outcome, err error) {
	for _, t := range p.targets {
		p.result(it, t, p.without(outcome, err))
	}
}

// without is the result of a name that was not written because of err.
func (p *pass) without(outcome Outcome, err error) Result {
	return Result{Outcome: outcome, Reason: reasonOf(err), Error: err.Error()}
}

func (p *pass) fail(err error) Summary {
	p.summary.Err = err
	p.summary.Took = time.Since(p.summary.Started)
	return p.summary
}

// finish closes the books of the pass. A trail that fails here changes nothing
// that was done, but the operator has to know.
func (p *pass) finish(ctx context.Context, err error) Summary {
	for id := range p.healable {
		p.summary.Healable = append(p.summary.Healable, id)
	}
	slices.Sort(p.summary.Healable)
	p.Memory.finished(p.job.Name)
	record := audit.Record{Event: audit.RunFinish, Plan: p.accepted, Took: time.Since(p.summary.Started)}
	if err != nil {
		record.Outcome, record.Reason = string(Failed), string(reasonOf(err))
	}
	if auditErr := p.audit(context.WithoutCancel(ctx), record); auditErr != nil && err == nil {
		err = auditErr
	}
	return p.fail(err)
}

// audit appends r, completed by what all records of the pass share. A dry run
// leaves no trace.
func (p *pass) audit(ctx context.Context, r audit.Record) error {
	if p.opts.DryRun {
		return nil
	}
	r.Run, r.Job, r.Trigger = p.summary.Run, p.job.Name, string(p.opts.Trigger)
	if err := p.Trail.Append(ctx, r); err != nil {
		return fmt.Errorf("audit trail: %w", err)
	}
	return nil
}

// Package syncer is the engine: it looks at what Amazon says and at what each
// sink holds, decides, holds updates back until the brake has seen the whole
// run, writes, and reports. It knows interfaces only.
//
// One pass of one job is [Engine.Sync]; the daemon, the one-shot command, the
// plan and the tests all call it. A failing skill or sink never stops the
// others.
package syncer

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

// A Job is what one pass works on.
type Job struct {
	Name    string
	Skills  func(context.Context) ([]source.Entry, error) // reads the list anew, for the pass to keep
	Source  source.Source
	Verify  source.Verifier // proves a pair before it is written; nil = not
	Workers int             // skills looked at side by side; at least 1
	Targets []Target        // at least one

	// MaxChanges is the share, 0 to 1, of the names found ours in a sink that
	// one run may update; 1 turns that part of the brake off.
	MaxChanges float64
	// Timeout is for the whole run. The look ends at two thirds of it, so that
	// updates are never starved. Zero means no limit.
	Timeout time.Duration
	// Neighbours are the other jobs that write to a sink of this one: what
	// stands on their lists is no orphan.
	Neighbours []Job
}

// A Target is one place where a job's credentials go.
type Target struct {
	Name   string // the sink's name in the configuration
	Sink   sink.Sink
	Form   sink.Form
	Names  sink.Template
	Fields []FieldTemplate
}

// A Trail takes audit records. When Append returns nil the record is durable;
// when it fails, what the record announces must not be done.
type Trail interface {
	Append(context.Context, audit.Record) error
}

// An Engine is what the passes of all jobs share. It is safe for concurrent
// use. Memory and Log may not be nil, and Trail only in dry runs.
type Engine struct {
	Instance string // the owner mark
	Key      credential.FingerprintKey
	Trail    Trail
	Memory   *Memory
	Log      *zap.Logger
	Tracer   trace.Tracer // hears of runs, skills, and calls of sources and sinks; nil = nobody does
}

// Options say how one pass differs from the usual one.
type Options struct {
	Trigger Trigger
	DryRun  bool // look and decide, but write nothing and leave no audit record
	// Only limits the pass to these skills; empty = all. One that the list
	// lacks has no result.
	Only []credential.SkillID
	// Shard limits the pass to a part of the list.
	Shard Shard
	// Accepted are plan IDs whose updates the operator has accepted. Each lets
	// exactly its own updates through the brake.
	Accepted []string
}

// A Trigger says what started a run.
type Trigger string

// The triggers.
const (
	TriggerSchedule Trigger = "schedule"
	TriggerStart    Trigger = "start"
	TriggerHeal     Trigger = "heal"
	TriggerManual   Trigger = "manual"
)

// A Reporter hears of a pass as it goes. Its methods are called one at a time.
type Reporter interface {
	// Start tells how many results will come.
	Start(job string, results int)
	// Result tells what became of one skill in one sink.
	Result(Result)
}

// listLag is how long AWS may leave out of a listing what was written.
const listLag = 10 * time.Minute

// Sync makes one pass of job. The results go to rep as they come; the summary
// tells the rest. A pass that could not begin (no list, no audit trail) says so
// in Summary.Err and has no results.
func (e *Engine) Sync(ctx context.Context, job Job, opts Options, rep Reporter) Summary {
	p := e.newPass(job, opts, rep)
	ctx, end := p.runSpan(ctx)
	defer end()
	lookCtx := ctx
	if job.Timeout > 0 {
		var cancel, cancelLook context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, p.summary.Started.Add(job.Timeout))
		defer cancel()
		lookCtx, cancelLook = context.WithDeadline(ctx, p.summary.Started.Add(job.Timeout*2/3))
		defer cancelLook()
	}
	if err := p.begin(ctx); err != nil {
		p.fault(err)
		return p.end()
	}
	p.reconcile(lookCtx)
	entries, err := p.entries(lookCtx)
	if err != nil {
		p.fault(err)
		return p.finish(ctx)
	}
	entries = p.take(entries)
	rep.Start(job.Name, len(entries)*len(job.Targets))
	p.list(lookCtx)
	p.look(lookCtx, ctx, entries)
	p.update(ctx)
	p.orphans(ctx)
	return p.finish(ctx)
}

// entries reads the skill list.
func (p *pass) entries(ctx context.Context) (entries []source.Entry, err error) {
	defer p.contain(&err)
	return p.job.Skills(ctx)
}

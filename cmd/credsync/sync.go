package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/syncer"
)

type syncCmd struct {
	Job        []string `complete:"job" sep:"none" placeholder:"JOB" help:"Only this job; may be repeated (default: all)."`
	Only       []string `complete:"skill" sep:"none" placeholder:"SKILL" help:"Only this skill ID; may be repeated."`
	AcceptPlan []string `sep:"none" placeholder:"ID" help:"Let exactly the updates of this plan through the brake, once."`
	Output     string   `short:"o" enum:"table,json" default:"table" help:"table or json (one line per job)."`
	shardFlag
}

// Help is what --help adds.
func (syncCmd) Help() string {
	return `Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 partial,
4 the brake refused updates. To see first what would be done: credsync plan.

Large lists can be shared by N processes: each takes its part with --shard I/N,
I from 0 to N-1. A Kubernetes job with completionMode: Indexed needs no flag: the
index comes from $JOB_COMPLETION_INDEX, the number from $CREDSYNC_SHARDS.

Examples:
  credsync sync
  credsync sync --job production -o json
  credsync sync --job production --accept-plan 0123456789abcdef`
}

func (cmd syncCmd) Run(ctx context.Context, c *cli, t terminal) error {
	return c.once(ctx, t, cmd, false)
}

type planCmd struct {
	Job    []string `complete:"job" sep:"none" placeholder:"JOB" help:"Only this job; may be repeated (default: all)."`
	Output string   `short:"o" enum:"table,json" default:"table" help:"table or json (one line per job)."`
	shardFlag
}

// Help is what --help adds.
func (planCmd) Help() string {
	return `Outcomes are what sync would do. Exit codes: 0 nothing to change, 5 something
to change, 4 the brake would refuse, 3 partial, 1 failed, 2 usage or configuration.

Examples:
  credsync plan
  credsync plan --job production
  credsync plan -o json`
}

func (cmd planCmd) Run(ctx context.Context, c *cli, t terminal) error {
	return c.once(ctx, t, syncCmd{Job: cmd.Job, Output: cmd.Output, shardFlag: cmd.shardFlag}, true)
}

// once makes one pass of each job that cmd chooses.
func (c *cli) once(ctx context.Context, t terminal, cmd syncCmd, dryRun bool) error {
	only, err := cmd.check()
	if err != nil {
		return err
	}
	shard, err := cmd.shard(len(only) > 0)
	if err != nil {
		return err
	}
	s, err := c.setup(t)
	if err != nil {
		return err
	}
	defer s.close()
	jobs, err := s.chosen(cmd.Job)
	if err != nil {
		return err
	}
	engine, trail, err := s.engine(oneShot(t), dryRun)
	if err != nil {
		return err
	}
	spans, err := s.traces(ctx, nil)
	if err != nil {
		return err
	}
	defer spans.close(ctx)
	engine.Tracer = spans.tracer()
	opts := syncer.Options{Trigger: syncer.TriggerManual, DryRun: dryRun, Only: only, Shard: shard, Accepted: s.unusedPlans(cmd.AcceptPlan)}
	reports := c.reporters(s, cmd, dryRun, t)
	if !dryRun {
		b := s.bulletin(nil)
		defer b.close(ctx)
		reports.to = append(reports.to, &notice{bulletin: b})
	}
	var passes []syncer.Summary
	var faults []error // of what surrounds the passes; none of them stops a pass
	for _, job := range jobs {
		before := s.requests.now()
		sum := engine.Sync(ctx, job, opts, reports)
		faults = append(faults, reports.Finish(sum, s.requests.since(before)))
		s.ended(trail, sum, dryRun)
		s.usePlan(sum.Accepted)
		passes = append(passes, sum)
	}
	if missing := reports.missing(only); len(missing) > 0 && !slices.ContainsFunc(passes, func(s syncer.Summary) bool { return s.Err != nil }) {
		faults = append(faults, fmt.Errorf("on no job's list: %s; add it to a list, or correct --only", strings.Join(missing, ", ")))
	}
	return conclude(judge(passes, dryRun), append(faults, closeTrail(trail)))
}

// check refuses what would mean something else than it says: an empty name is
// how an unset variable looks.
func (cmd syncCmd) check() ([]credential.SkillID, error) {
	if slices.Contains(cmd.Job, "") {
		return nil, usage(errors.New("--job is empty; leave it out to mean all jobs"))
	}
	for _, id := range cmd.AcceptPlan {
		if !planID.MatchString(id) {
			return nil, usage(fmt.Errorf("--accept-plan %q is no plan ID; credsync plan prints it, 16 hex digits", id))
		}
	}
	return parseIDs(cmd.Only)
}

var planID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// conclude makes one end of an exit code and of faults that make it no better
// than partial.
func conclude(code exitCode, faults []error) error {
	err := errors.Join(faults...)
	if err != nil {
		return &failure{worst([]exitCode{code, exitPartial}), err}
	}
	return exit(code)
}

// chosen returns the jobs of the given names, each once, or all.
func (s *setup) chosen(names []string) ([]syncer.Job, error) {
	for _, name := range names {
		if err := known("job", name, s.cfg.Jobs, s.cfg.Path); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(s.jobs), func(j syncer.Job) bool {
		return len(names) > 0 && !slices.Contains(names, j.Name)
	}), nil
}

func parseIDs(texts []string) ([]credential.SkillID, error) {
	var ids []credential.SkillID
	var faults []error
	for _, text := range texts {
		id, err := credential.ParseSkillID(text)
		ids, faults = append(ids, id), append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, usage(err)
	}
	return ids, nil
}

// ended logs the end of a pass and keeps the learned paces, and the head of the
// audit trail, where there is one: records cut from the end of the file show
// against it.
func (s *setup) ended(trail *audit.Trail, sum syncer.Summary, dryRun bool) {
	what := "run"
	if dryRun {
		what = "plan"
	}
	fields := []zap.Field{
		zap.String("job", sum.Job), zap.String("run", sum.Run), zap.Duration("took", sum.Took),
		zap.Int("skills", sum.Skills), zap.Int("orphans", len(sum.Orphans)),
	}
	if shard := sum.Shard.String(); shard != "" {
		fields = append(fields, zap.String("shard", shard))
	}
	if trail != nil {
		fields = append(fields, zap.Stringer("audit_head", trail.Head()))
		s.keepHead(trail)
		if err := trail.Err(); err != nil && sum.Err == nil {
			s.log.Warn("an audit destination takes no records, another does", zap.Error(err))
		}
	}
	if !dryRun {
		s.keepPaces()
	}
	for _, o := range syncer.Outcomes {
		fields = append(fields, zap.Int(string(o), sum.Counts[o]))
	}
	switch {
	case sum.Err != nil:
		s.log.Error(what+" failed", append(fields, zap.Error(sum.Err))...)
	case sum.Brake != "":
		s.log.Error("brake refused updates", append(fields, zap.String("brake", sum.Brake), zap.String("plan", sum.Plan))...)
	case sum.Short() > 0:
		s.log.Warn(what+" finished short", fields...)
	default:
		s.log.Info(what+" finished", fields...)
	}
}

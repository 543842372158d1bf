package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/syncer"
)

type syncCmd struct {
	Job        []string `placeholder:"JOB" help:"Only this job; may be repeated (default: all)."`
	Only       []string `placeholder:"SKILL" help:"Only this skill ID; may be repeated."`
	AcceptPlan []string `placeholder:"ID" help:"Let exactly the updates of this plan through the brake, once."`
	Output     string   `short:"o" enum:"table,json" default:"table" help:"table or json (one line per job)."`
}

// Help is what --help adds.
func (syncCmd) Help() string {
	return `Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 partial,
4 the brake refused updates. To see first what would be done: credsync plan.`
}

func (cmd syncCmd) Run(ctx context.Context, c *cli, t terminal) error {
	return c.once(ctx, t, cmd, false)
}

type planCmd struct {
	Job    []string `placeholder:"JOB" help:"Only this job; may be repeated (default: all)."`
	Output string   `short:"o" enum:"table,json" default:"table" help:"table or json (one line per job)."`
}

// Help is what --help adds.
func (planCmd) Help() string {
	return `Outcomes are what sync would do. Exit codes: 0 nothing to change, 5 something
to change, 4 the brake would refuse, 3 partial, 1 failed, 2 usage.`
}

func (cmd planCmd) Run(ctx context.Context, c *cli, t terminal) error {
	return c.once(ctx, t, syncCmd{Job: cmd.Job, Output: cmd.Output}, true)
}

// once makes one pass of each job that cmd chooses.
func (c *cli) once(ctx context.Context, t terminal, cmd syncCmd, plan bool) error {
	only, err := parseIDs(cmd.Only)
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
	engine, trail, err := s.engine(standardError(t.err), t, plan)
	if err != nil {
		return err
	}
	accepted := s.unusedPlans(cmd.AcceptPlan)
	opts := syncer.Options{Trigger: syncer.TriggerManual, DryRun: plan, Only: only, Accepted: accepted}
	reports := c.reporters(s.cfg, cmd.Output, plan, t)
	var passes []syncer.Summary
	for _, job := range jobs {
		before := s.requests.now()
		sum := engine.Sync(ctx, job, opts, reports)
		s.ended(trail, sum)
		if slices.Contains(accepted, sum.Plan) && sum.Brake == "" {
			s.usePlan(sum.Plan)
		}
		if err := reports.Finish(sum, s.requests.since(before)); err != nil {
			return errors.Join(fmt.Errorf("write the report: %w", err), closeTrail(trail))
		}
		passes = append(passes, sum)
	}
	code := judge(passes, plan)
	if missing := reports.missing(only); len(missing) > 0 {
		fmt.Fprintf(t.err, "credsync: on no job's list: %s\n", strings.Join(missing, ", "))
		code = worst([]exitCode{code, exitPartial})
	}
	if err := closeTrail(trail); err != nil {
		return err
	}
	return exit(code)
}

// chosen returns the jobs of the given names, or all.
func (s *setup) chosen(names []string) ([]syncer.Job, error) {
	if len(names) == 0 {
		return s.jobs, nil
	}
	var jobs []syncer.Job
	for _, name := range names {
		if err := known("job", name, s.cfg.Jobs, s.cfg.Path); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(s.jobs, func(j syncer.Job) bool { return j.Name == name })
		jobs = append(jobs, s.jobs[i])
	}
	return jobs, nil
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

// ended logs the end of a pass and keeps the head of the audit trail, where
// there is one: records cut from the end of the file show against it.
func (s *setup) ended(trail *audit.Trail, sum syncer.Summary) {
	fields := []zap.Field{
		zap.String("job", sum.Job), zap.String("run", sum.Run), zap.Duration("took", sum.Took),
		zap.Int("skills", sum.Skills), zap.Int("orphans", len(sum.Orphans)),
	}
	if trail != nil {
		head := trail.Head().String()
		s.remember(auditHeadFile, auditHead{head})
		fields = append(fields, zap.String("audit_head", head))
	}
	for _, o := range syncer.Outcomes {
		fields = append(fields, zap.Int(string(o), sum.Counts[o]))
	}
	switch {
	case sum.Err != nil:
		s.log.Error("run failed", append(fields, zap.Error(sum.Err))...)
	case sum.Brake != "":
		s.log.Error("brake refused updates", append(fields, zap.String("brake", sum.Brake), zap.String("plan", sum.Plan))...)
	case sum.Short() > 0:
		s.log.Warn("run finished short", fields...)
	default:
		s.log.Info("run finished", fields...)
	}
}

package main

import (
	"errors"
	"slices"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/syncer"
)

// A reporter shows the passes of a command, one after the other.
type reporter interface {
	syncer.Reporter
	// Finish ends a pass; requests counts by kind what the pass has sent.
	Finish(s syncer.Summary, requests map[string]int) error
}

// A reports hands on what it hears to several reporters.
type reports struct {
	to   []reporter
	seen map[credential.SkillID]bool
}

// reporters returns what shows the passes of a one-shot command.
func (c *cli) reporters(cfg *config.Config, output string, plan bool, t terminal) *reports {
	r := &reports{seen: make(map[credential.SkillID]bool)}
	// A bar shares the screen with nobody who writes lines there.
	audited := plan || slices.ContainsFunc(cfg.Audit, func(a config.Audit) bool { return a.File != "" })
	if isTerminal(t.err) && audited && c.LogLevel != "debug" {
		r.to = append(r.to, &progress{w: t.err})
	}
	if output == "json" {
		r.to = append(r.to, &jsonReport{w: t.out})
	} else {
		r.to = append(r.to, &tableReport{w: t.out, plan: plan})
	}
	return r
}

func (r *reports) Start(job string, results int) {
	for _, to := range r.to {
		to.Start(job, results)
	}
}

func (r *reports) Result(res syncer.Result) {
	r.seen[res.Skill] = true
	for _, to := range r.to {
		to.Result(res)
	}
}

func (r *reports) Finish(s syncer.Summary, requests map[string]int) error {
	var faults []error
	for _, to := range r.to {
		faults = append(faults, to.Finish(s, requests))
	}
	return errors.Join(faults...)
}

// missing returns those of ids that had no result.
func (r *reports) missing(ids []credential.SkillID) (missing []string) {
	for _, id := range ids {
		if !r.seen[id] {
			missing = append(missing, string(id))
		}
	}
	return missing
}

// A logReport writes results to the log: what a daemon has in place of a table.
type logReport struct{ log *zap.Logger }

func (logReport) Start(string, int) {}

func (r logReport) Result(res syncer.Result) {
	fields := []zap.Field{
		zap.String("skill", string(res.Skill)), zap.String("sink", res.Sink), zap.String("name", res.Name), zap.String("version", res.Version),
	}
	switch res.Outcome {
	case syncer.Unchanged:
		r.log.Debug(string(res.Outcome), fields...)
	case syncer.Created, syncer.Updated, syncer.Repaired:
		r.log.Info(string(res.Outcome), fields...)
	default:
		r.log.Warn(string(res.Outcome), append(fields, zap.String("reason", string(res.Reason)), zap.String("cause", res.Error))...)
	}
}

package main

import (
	"bufio"
	"errors"
	"os"
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
	seen map[credential.SkillID]bool // nil = not asked for
}

// reporters returns what shows the passes of a one-shot command.
func (c *cli) reporters(s *setup, cmd syncCmd, dryRun bool, t terminal) *reports {
	r := &reports{to: []reporter{s.budget()}}
	if len(cmd.Only) > 0 {
		r.seen = make(map[credential.SkillID]bool)
	}
	// Audit lines on the same screen would go past the bar.
	audited := dryRun || len(s.cfg.Audit) > 0 && !slices.ContainsFunc(s.cfg.Audit, func(a config.Audit) bool { return a.Stream != "" })
	if isTerminal(t.err) && os.Getenv("TERM") != "dumb" && audited { // a dumb one can't take a line back
		bar := &progress{w: t.err}
		s.screen.bar.Store(bar)
		r.to = append(r.to, bar)
	}
	if cmd.Output == "json" {
		r.to = append(r.to, &jsonReport{w: bufio.NewWriter(t.out)})
	} else {
		r.to = append(r.to, &tableReport{w: t.out, dryRun: dryRun, command: c.command(), accept: cmd.AcceptPlan})
	}
	return r
}

// command is how to call credsync with the same configuration again.
func (c *cli) command() string {
	if c.Config == defaultConfig || c.Config == os.Getenv("CREDSYNC_CONFIG") {
		return "credsync"
	}
	return "credsync -c " + c.Config
}

func (r *reports) Start(job string, results int) {
	for _, to := range r.to {
		to.Start(job, results)
	}
}

func (r *reports) Result(res syncer.Result) {
	if r.seen != nil {
		r.seen[res.Skill] = true
	}
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
type logReport struct {
	*budget
	log *zap.Logger
}

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

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/sink"
)

type checkCmd struct {
	Online bool   `help:"Also ask Login with Amazon, the Skill Management API and each sink."`
	Output string `short:"o" enum:"table,json" default:"table" help:"table or json."`
}

// Help is what --help adds.
func (checkCmd) Help() string {
	return `Nothing is written to a sink. Exit codes: 0 all is well, 2 the configuration
or a skill list is at fault; with --online also 3 somebody did not answer as it
should, 1 nobody did.`
}

// checkTimeout bounds one online step.
const checkTimeout = 30 * time.Second

// A step is one thing that was checked.
type step struct {
	What   string   `json:"what"`
	OK     bool     `json:"ok"`
	Error  string   `json:"error"`
	Advice []string `json:"advice"`
}

func (cmd checkCmd) Run(ctx context.Context, c *cli, t terminal) error {
	s, err := c.setup(t)
	if err != nil {
		return err
	}
	defer s.close()
	steps := []step{{What: "configuration " + s.cfg.Path, OK: true, Advice: texts(s.cfg.Advice)}}
	lists := step{What: "skill lists", OK: true, Advice: texts(s.cfg.ListAdvice())}
	if err := s.cfg.CheckLists(); err != nil {
		lists.OK, lists.Error = false, err.Error()
	}
	steps = append(append(steps, lists), s.auditFiles()...)
	offline, bad := len(steps), func(s step) bool { return !s.OK }
	fit := !slices.ContainsFunc(steps, bad)
	if cmd.Online && fit {
		steps = append(steps, s.online(ctx)...)
	}
	if err := cmd.show(t.out, steps); err != nil {
		return err
	}
	switch bad := slices.ContainsFunc(steps[offline:], bad); {
	case !fit:
		return exit(exitUsage)
	case bad && !slices.ContainsFunc(steps[offline:], func(s step) bool { return s.OK }):
		return exit(exitFailed)
	case bad:
		return exit(exitPartial)
	}
	return nil
}

// auditFiles looks whether each audit file can be continued as it is configured.
func (s *setup) auditFiles() (steps []step) {
	key, keyErr := auditKey(s.cfg.Audit)
	for _, d := range s.cfg.Audit {
		if d.File == "" {
			continue
		}
		err := keyErr
		if err == nil {
			err = audit.Fit(d.File, key)
		}
		step := step{What: "audit file " + d.File, OK: err == nil}
		if err != nil {
			step.Error = err.Error()
		}
		steps = append(steps, step)
	}
	return steps
}

// maxNotes is how many notes one step shows.
const maxNotes = 10

func texts(advice []config.Problem) (notes []string) {
	for i, a := range advice {
		if i == maxNotes {
			return append(notes, fmt.Sprintf("and %d more of this kind", len(advice)-i))
		}
		notes = append(notes, a.String())
	}
	return notes
}

// online asks every source and sink whether it would serve us.
func (s *setup) online(ctx context.Context) (steps []step) {
	for _, name := range slices.Sorted(maps.Keys(s.sources)) {
		steps = append(steps, check(ctx, "source "+name, func(ctx context.Context) ([]string, error) {
			return nil, s.sources[name].Check(ctx)
		}))
	}
	for _, name := range slices.Sorted(maps.Keys(s.targets)) {
		checker, ok := s.targets[name].Sink.(sink.Checker)
		if !ok {
			continue
		}
		steps = append(steps, check(ctx, "sink "+name, checker.Check))
	}
	return steps
}

func check(ctx context.Context, what string, f func(context.Context) ([]string, error)) step {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	advice, err := f(ctx)
	s := step{What: what, OK: err == nil, Advice: advice}
	if err != nil {
		s.Error = err.Error()
	}
	return s
}

func (cmd checkCmd) show(w io.Writer, steps []step) error {
	if cmd.Output == "json" {
		for i := range steps {
			steps[i].Advice = append([]string{}, steps[i].Advice...)
		}
		return json.NewEncoder(w).Encode(map[string]any{"steps": steps})
	}
	var b strings.Builder
	for _, s := range steps {
		mark := "ok  "
		if !s.OK {
			mark = "FAIL"
		}
		fmt.Fprintf(&b, "%s  %s\n", mark, s.What)
		for line := range strings.Lines(s.Error) {
			fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(line))
		}
		for _, a := range s.Advice {
			fmt.Fprintf(&b, "  note: %s\n", a)
		}
	}
	_, err := io.WriteString(w, wrap(b.String()))
	return err
}

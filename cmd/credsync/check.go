package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/config"
)

type checkCmd struct {
	Online bool   `help:"Also ask Login with Amazon, the Skill Management API and each sink."`
	Output string `short:"o" enum:"table,json" default:"table" help:"table or json."`
}

// Help is what --help adds.
func (checkCmd) Help() string {
	return `Nothing is written to a sink. With --online each step has a line: whether the
peer is reached, its clock, the login, the rights. A step that fails says the cause
and the cure; one that needs it is not tried, and all others are.

Exit codes: 0 all is well, 2 the configuration or a skill list is at fault; with
--online also 3 somebody did not answer as it should, 1 nobody did.

Examples:
  credsync check
  credsync check --online
  credsync check --online -o json`
}

// A step is one thing that was checked.
type step struct {
	What     string   `json:"what"`
	OK       bool     `json:"ok"`
	Error    string   `json:"error"`
	Advice   []string `json:"advice"`
	NotTried string   `json:"not_tried,omitempty"` // the step that failed, because of which this one says nothing
	Steps    []step   `json:"steps,omitempty"`     // what it is made of, in order
}

func isBad(s step) bool { return !s.OK }

func (cmd checkCmd) Run(ctx context.Context, c *cli, t terminal) error {
	cfg, fault := config.Load(c.Config)
	if fault != nil {
		var unusable error
		if cfg, unusable = config.Peek(c.Config); unusable != nil || !cmd.Online {
			return cmd.refuse(t, c.Config, fault)
		}
	}
	s, err := c.open(cfg, t)
	if err != nil {
		return err
	}
	defer s.close()
	steps := []step{{What: "configuration " + cfg.Path, OK: true, Advice: texts(cfg.Advice)}, verdict("secrets", fault)}
	lists := verdict("skill lists", cfg.CheckLists())
	lists.Advice = texts(cfg.ListAdvice())
	steps = append(append(steps, lists), s.auditFiles()...)
	fit := !slices.ContainsFunc(steps, isBad)
	code := exitOK
	if cmd.Online {
		host, peers := s.host(ctx), s.peers(ctx)
		code = reached(host, peers)
		steps = append(append(steps, host...), peers...)
	}
	if !fit {
		code = exitUsage
	}
	if err := cmd.show(t.out, steps); err != nil {
		return err
	}
	return exit(code)
}

// reached makes an exit code of what is online.
func reached(host, peers []step) exitCode {
	switch bad := slices.ContainsFunc(peers, isBad); {
	case bad && !slices.ContainsFunc(peers, func(s step) bool { return s.OK }):
		return exitFailed
	case bad || slices.ContainsFunc(host, isBad):
		return exitPartial
	}
	return exitOK
}

// refuse ends a check of a configuration that can't be used as it is.
func (cmd checkCmd) refuse(t terminal, path string, fault error) error {
	if cmd.Output == "json" {
		if err := cmd.show(t.out, []step{verdict("configuration "+path, fault)}); err != nil {
			return err
		}
	}
	return usage(fault)
}

// verdict is a step that ended with err.
func verdict(what string, err error) step {
	s := step{What: what, OK: err == nil}
	if err != nil {
		s.Error = err.Error()
	}
	return s
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
		steps = append(steps, verdict("audit file "+d.File, err))
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

func (cmd checkCmd) show(w io.Writer, steps []step) error {
	if cmd.Output == "json" {
		listAdvice(steps)
		return json.NewEncoder(w).Encode(map[string]any{"steps": steps})
	}
	var b strings.Builder
	l := lookOf(w)
	for _, s := range steps {
		s.line(&b, l, "")
	}
	_, err := io.WriteString(w, l.paintMarks(wrap(b.String(), columns(w))))
	return err
}

// listAdvice makes a list of each advice, also where there is none.
func listAdvice(steps []step) {
	for i := range steps {
		steps[i].Advice = append([]string{}, steps[i].Advice...)
		listAdvice(steps[i].Steps)
	}
}

// line writes s, and below it what it is made of: there its error and advice
// stand at their place.
func (s step) line(b *strings.Builder, l look, indent string) {
	switch {
	case s.NotTried != "":
		fmt.Fprintf(b, "%s  %s%s: not tried, because of: %s\n", l.mark(markUntil), indent, s.What, s.NotTried)
	case s.OK:
		fmt.Fprintf(b, "%s  %s%s\n", l.mark(markOK), indent, s.What)
	default:
		fmt.Fprintf(b, "%s  %s%s\n", l.mark(markFail), indent, s.What)
	}
	if len(s.Steps) > 0 {
		for _, part := range s.Steps {
			part.line(b, l, indent+"  ")
		}
		return
	}
	for line := range strings.Lines(s.Error) {
		fmt.Fprintf(b, "  %s%s\n", indent, printable(strings.TrimSpace(line)))
	}
	for _, a := range s.Advice {
		fmt.Fprintf(b, "  %snote: %s\n", indent, printable(a))
	}
}

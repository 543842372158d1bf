package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/status"
	"github.com/credsync/credsync/internal/syncer"
)

type statusCmd struct {
	URL     string   `placeholder:"URL" help:"Where the daemon listens, such as http://127.0.0.1:9464 (default: http.listen of the configuration)."`
	Job     string   `complete:"job" placeholder:"JOB" help:"Only skills of this job."`
	Sink    string   `complete:"sink" placeholder:"SINK" help:"Only skills in this sink."`
	Outcome []string `placeholder:"OUTCOME" help:"Only skills with this outcome; may be repeated (default: refused, failed, skipped)."`
	Find    string   `placeholder:"TEXT" help:"Only skills with this in their ID, label or name."`
	Watch   bool     `help:"Show it anew every two seconds, until interrupted."`
	Output  string   `short:"o" enum:"table,json" default:"table" help:"table or json (what /api/status says)."`
}

// Help is what --help adds.
func (statusCmd) Help() string {
	return `Shows what the running daemon knows. Exit codes: 0 it is ready, 1 it is not or
does not answer, 2 usage or configuration.

Examples:
  credsync status
  credsync status --job production --watch
  credsync status --url http://127.0.0.1:9464 -o json`
}

const (
	statusTimeout = 10 * time.Second
	statusEvery   = 2 * time.Second
)

func (cmd statusCmd) Run(ctx context.Context, c *cli, t terminal) error {
	daemon, err := c.daemon(cmd.URL, statusTimeout)
	if err != nil {
		return err
	}
	if !cmd.Watch {
		return cmd.once(ctx, daemon, t.out)
	}
	for tick := time.NewTicker(statusEvery); ; {
		var screen bytes.Buffer
		err := cmd.once(ctx, daemon, &screen)
		if ctx.Err() != nil {
			return nil // interrupted
		}
		if f, ok := errors.AsType[*failure](err); ok && f.code == exitUsage {
			return err
		}
		if isTerminal(t.out) {
			fmt.Fprint(t.out, "\x1b[H\x1b[2J")
		}
		if err != nil && !errors.Is(err, errSaid) {
			fmt.Fprintf(&screen, "%v\n", err)
		}
		if _, err := t.out.Write(screen.Bytes()); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// once asks and shows. It says in which state the daemon is by its error.
func (cmd statusCmd) once(ctx context.Context, d *daemonClient, out io.Writer) error {
	body, err := d.get(ctx, "/api/status?"+cmd.filter().Query().Encode())
	if err != nil {
		return err
	}
	var r status.Report
	if err := json.Unmarshal(body, &r); err != nil {
		return fmt.Errorf("%s: not an answer of credsync", d.base)
	}
	if err := cmd.known(r); err != nil {
		return err
	}
	if cmd.Output == "json" {
		_, err = out.Write(body)
	} else {
		r.Troubles = slices.DeleteFunc(r.Troubles, func(t status.Trouble) bool {
			return cmd.Job != "" && t.Job != cmd.Job || cmd.Sink != "" && t.Sink != cmd.Sink
		})
		err = writeStatus(out, r)
	}
	switch {
	case err != nil:
		return err
	case !r.Ready:
		return exit(exitFailed)
	}
	return nil
}

// filter returns which skills to ask for. A person wants those to be looked at.
func (cmd statusCmd) filter() status.Filter {
	f := status.Filter{Job: cmd.Job, Sink: cmd.Sink, Text: cmd.Find, Limit: maxRows}
	for _, o := range cmd.Outcome {
		f.Outcome = append(f.Outcome, syncer.Outcome(o))
	}
	switch {
	case cmd.Output == "json":
		f.Limit = 1000
	case len(f.Outcome) == 0 && cmd.Find == "":
		f.Outcome = []syncer.Outcome{syncer.Refused, syncer.Failed, syncer.Skipped}
	}
	return f
}

// known returns a usage error where the daemon has no job or sink of that name.
func (cmd statusCmd) known(r status.Report) error {
	var jobs, sinks []string
	for _, j := range r.Jobs {
		jobs, sinks = append(jobs, j.Name), append(sinks, j.Sinks...)
	}
	slices.Sort(sinks)
	for _, named := range []struct {
		what, name string
		all        []string
	}{{"job", cmd.Job, jobs}, {"sink", cmd.Sink, slices.Compact(sinks)}} {
		if named.name != "" && !slices.Contains(named.all, named.name) {
			return usage(fmt.Errorf("the daemon has no %s named %q; there are: %s", named.what, named.name, strings.Join(named.all, ", ")))
		}
	}
	return nil
}

package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/fault"
)

const (
	defaultCommandTime = time.Minute
	maxCommandTime     = time.Hour
	commandGrace       = 5 * time.Second
)

// A CommandConfig describes a program that is run.
type CommandConfig struct {
	// Command is a program, by its absolute path, and its arguments. No shell is
	// between. It gets the run as JSON on standard input.
	Command []string `yaml:"command"`
	// On lists the occasions: changed, refused, failed. Default: changed.
	On []Occasion `yaml:"on,omitempty"`
	// Timeout ends a program that takes longer. Default 1m.
	Timeout time.Duration `yaml:"timeout,omitempty"`
}

// Faults returns what is wrong with c. It looks at the program and runs nothing.
func (c CommandConfig) Faults() fault.List {
	var l fault.List
	if len(c.Command) == 0 || c.Command[0] == "" {
		l.Add("command", "missing", "name a program and its arguments, as [/usr/bin/systemctl, reload, voice]")
	} else if !filepath.IsAbs(c.Command[0]) {
		l.Add("command", fmt.Sprintf("%q is not an absolute path", c.Command[0]), "write the program's whole path; of a line for the shell, make a script")
	} else if _, err := exec.LookPath(c.Command[0]); err != nil {
		l.Add("command", fmt.Sprintf("%s: %s", c.Command[0], fault.Cause(errors.Unwrap(err))), "correct the path, and let this user run it")
	}
	if c.Timeout < 0 || c.Timeout > maxCommandTime {
		l.Add("timeout", fmt.Sprintf("%s is not between 1s and 1h", c.Timeout), "set it to the longest that the program may take, as 1m")
	}
	l.Within("on", occasionFaults(c.On))
	return l
}

// Limit is the longest that one run of the program takes.
func (c CommandConfig) Limit() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return defaultCommandTime
}

// A Command runs a program for each event: the event's data as JSON on standard
// input, and CREDSYNC_JOB, CREDSYNC_RUN, CREDSYNC_INSTANCE and CREDSYNC_OCCASIONS
// (with commas) in its environment, which holds besides only what programs need
// to run: ours may hold secrets. Nobody sees what the program prints, as that
// could be a secret.
type Command struct {
	config CommandConfig
	grace  time.Duration // from being asked to end to being killed
}

// NewCommand returns the receiver that c describes, which has no faults.
func NewCommand(c CommandConfig) *Command {
	if len(c.On) == 0 {
		c.On = []Occasion{Changed}
	}
	return &Command{c, commandGrace}
}

// Wants reports whether e has one of the occasions.
func (c *Command) Wants(e Event) bool { return e.on(c.config.On) }

// Deliver runs the program once. A program that takes too long is asked to end,
// with all that it has started, and killed five seconds later.
func (c *Command) Deliver(ctx context.Context, e Event) error {
	limited, cancel := context.WithTimeout(ctx, c.config.Limit())
	defer cancel()
	cmd := exec.CommandContext(limited, c.config.Command[0], c.config.Command[1:]...) //nolint:gosec // the operator's own
	cmd.Env = append(inherited(), e.environment()...)
	cmd.Stdin = bytes.NewReader(e.Data)
	cmd.WaitDelay = c.grace
	killAll := together(cmd)
	err := cmd.Run()
	if limited.Err() != nil {
		killAll()
	}
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s was stopped: %w", c.config.Command[0], ctx.Err())
	case limited.Err() != nil:
		return fmt.Errorf("%s was stopped: it took longer than %s", c.config.Command[0], c.config.Limit())
	case errors.Is(err, exec.ErrWaitDelay):
		return nil // it ended well and left a child that holds its standard input
	case ended:
		return fmt.Errorf("%s: %s", c.config.Command[0], exit.ProcessState)
	}
	return fmt.Errorf("%s: not started: %w", c.config.Command[0], fault.Cause(err))
}

// environment is what a program learns without reading its input.
func (e Event) environment() []string {
	names := make([]string, len(e.Occasions))
	for i, o := range e.Occasions {
		names[i] = string(o)
	}
	return []string{
		"CREDSYNC_JOB=" + e.Job, "CREDSYNC_RUN=" + e.ID, "CREDSYNC_INSTANCE=" + e.Instance,
		"CREDSYNC_OCCASIONS=" + strings.Join(names, ","),
	}
}

// inherited is the part of our environment that is nobody's secret.
func inherited() (env []string) {
	for _, name := range []string{"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// Command credsync keeps the OAuth credentials of Alexa skills where the
// services that use them look for them: it asks Amazon for each skill's client
// ID and client secret, and writes what changed to HashiCorp Vault, AWS Secrets
// Manager and files.
//
// This package is the only one that knows all the others: it holds the grammar
// of the command line, opens what the configuration names, and turns outcomes
// into exit codes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	_ "time/tzdata" // schedules name zones, and small systems know none

	"github.com/alecthomas/kong"

	"github.com/credsync/credsync/internal/source/smapi"
)

func main() {
	if err := harden(); err != nil {
		fmt.Fprintf(os.Stderr, "credsync: %v\n", err)
	}
	signal.Ignore(syscall.SIGPIPE) // a reader that went away is an error of that write, not the end of a run
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who insists is not kept waiting
	code := run(ctx, os.Args[1:], terminal{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(int(code))
}

const defaultConfig = "/etc/credsync/credsync.yaml"

// A cli is the grammar of the command line, and its help page.
type cli struct {
	Config    string `short:"c" complete:"file" placeholder:"PATH" env:"CREDSYNC_CONFIG" default:"${config}" help:"Configuration file; else $$CREDSYNC_CONFIG, else ${config}."`
	LogLevel  string `enum:"debug,info,warn,error" default:"info" help:"Least level to log: debug, info, warn or error."`
	LogFormat string `enum:"json,console,auto" default:"auto" help:"json, console, or auto: console when standard error is a terminal."`

	Demo        demoCmd        `cmd:"" help:"The whole tour in a temporary directory; needs nothing."`
	Sync        syncCmd        `cmd:"" help:"Sync the jobs once, now, and exit."`
	Plan        planCmd        `cmd:"" help:"Show what sync would do; write nothing."`
	Run         runCmd         `cmd:"" help:"The daemon: sync every job on its schedule."`
	Status      statusCmd      `cmd:"" help:"Show what the running daemon knows."`
	Healthcheck healthcheckCmd `cmd:"" help:"Ask the running daemon whether it is well."`
	Init        initCmd        `cmd:"" help:"Write a first configuration and skill list."`
	Login       loginCmd       `cmd:"" help:"Get a refresh token from Amazon, once, in a browser."`
	Check       checkCmd       `cmd:"" help:"Check the configuration; with --online, Amazon and the sinks too."`
	Policy      policyCmd      `cmd:"" help:"Print the Vault or IAM policy that a sink needs."`
	Skills      skillsCmd      `cmd:"" help:"List the skill IDs that an Amazon account can see."`
	Adopt       adoptCmd       `cmd:"" help:"Take over secrets that already stand where a job would write."`
	Audit       auditCmd       `cmd:"" help:"Check an audit file."`
	Emulator    emulatorCmd    `cmd:"" help:"Serve a local Amazon to try things with."`
	Version     versionCmd     `cmd:"" help:"Print version, commit and Go version."`

	Completion completionCmd `cmd:"" help:"Print what makes your shell complete credsync's commands."`
	Complete   completeCmd   `cmd:"" hidden:"" help:"Print what could stand at the cursor."`
	Man        manCmd        `cmd:"" hidden:"" help:"Print a manual page."`
}

// A terminal is where a command talks: results to out, logs and hints to err.
// Few commands ask, and hear the answer from in.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

// A failure is an error with the exit code that it means.
type failure struct {
	code exitCode
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usage marks err as one of usage or configuration.
func usage(err error) error { return &failure{exitUsage, err} }

// errSaid ends a command that has said everything already.
var errSaid = errors.New("see above")

// exit ends a command with code, when everything has been said already.
func exit(code exitCode) error {
	if code == exitOK {
		return nil
	}
	return &failure{code, errSaid}
}

// parser returns what reads a command line into c.
func (c *cli) parser(options ...kong.Option) *kong.Kong {
	return kong.Must(c, append(options,
		kong.Name("credsync"),
		kong.Vars{"config": defaultConfig, "scope": smapi.DefaultScope},
		kong.Description("Keeps the OAuth credentials of Alexa skills where your services read secrets."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 80}),
	)...)
}

// run is the whole program but for signals and the end of the process.
func run(ctx context.Context, args []string, t terminal) exitCode {
	var c cli
	exited := false
	parser := c.parser(
		kong.Writers(t.out, t.err),
		kong.Exit(func(int) { exited = true }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(t),
	)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	switch {
	case exited: // --help
		return exitOK
	case err != nil:
		say(t.err, fmt.Sprintf("credsync: %s\nFor help: credsync --help, or credsync COMMAND --help.\n", explainUsage(parser, err)))
		return exitUsage
	}
	return report(command.Run(&c), t.err)
}

// report says what ended a command, and returns its exit code.
func report(err error, stderr io.Writer) exitCode {
	if err == nil {
		return exitOK
	}
	code := exitFailed
	if f, ok := errors.AsType[*failure](err); ok {
		code, err = f.code, f.err
	}
	if !errors.Is(err, errSaid) {
		say(stderr, "credsync: "+strings.ReplaceAll(err.Error(), "\n", "\n  ")+"\n")
	}
	return code
}

// say writes text to w, wrapped where a person reads it: programs want their
// lines whole.
func say(w io.Writer, text string) {
	if isTerminal(w) {
		text = wrap(text, columns(w))
	}
	fmt.Fprint(w, text)
}

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/fault"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Check the chain of an audit file."`
}

type auditVerifyCmd struct {
	File   string `complete:"file" arg:"" help:"The audit file."`
	Stream bool   `help:"The file was captured from a stream, where each process starts a chain."`
	Head   string `placeholder:"SEQ:HASH" help:"A record that has to be there: audit_head of the log line 'run finished', or of audit-head.json in state_dir. Shows what was cut from the end."`
}

// Help is what --help adds.
func (auditVerifyCmd) Help() string {
	return `Exit code 1 and the first bad line where the chain does not hold. A last line
that a crash tore is said and is no fault. The key, where the trail has one, is
taken from the configuration.

Examples:
  credsync audit verify /var/log/credsync/audit.jsonl
  credsync audit verify --stream captured.jsonl`
}

func (cmd auditVerifyCmd) Run(c *cli, t terminal) error {
	o, err := cmd.options(c)
	if err != nil {
		return usage(err)
	}
	info, err := os.Stat(cmd.File)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", cmd.File, fault.Cause(err)))
	}
	if info.IsDir() {
		return usage(fmt.Errorf("%s: a directory; name the audit file in it", cmd.File))
	}
	f, err := os.Open(cmd.File)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", cmd.File, fault.Cause(err)))
	}
	defer f.Close()
	report, err := audit.Verify(f, o)
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.File, err)
	}
	fmt.Fprintf(t.out, "%s holds: %d records", cmd.File, report.Records)
	if report.Records > 0 {
		fmt.Fprintf(t.out, ", %d to %s", report.FirstSeq, report.Head)
	}
	fmt.Fprintln(t.out)
	for _, line := range report.Torn {
		fmt.Fprintf(t.out, "line %d is torn: its writer was stopped in the middle; that is no tampering\n", line)
	}
	showOpen(t.out, report.Open)
	return nil
}

// maxOpen is how many unconcluded announcements are shown.
const maxOpen = 10

// showOpen says what was announced and has no outcome in the file.
func showOpen(w io.Writer, open []audit.Record) {
	if len(open) == 0 {
		return
	}
	fmt.Fprintf(w, "%d announced and not concluded: at work now, or stopped, and then the next run sees to it\n", len(open))
	for i, r := range open {
		if i == maxOpen {
			fmt.Fprintf(w, "  and %d more\n", len(open)-i)
			return
		}
		fmt.Fprintf(w, "  record %d: %s %s in sink %s\n", r.Seq, r.Action, printable(r.Name), printable(r.Sink))
	}
}

// options takes the key from the configuration, where there is one.
func (cmd auditVerifyCmd) options(c *cli) (o audit.VerifyOptions, err error) {
	o.Restarts = cmd.Stream
	if cmd.Head != "" {
		if o.Head, err = audit.ParseHead(cmd.Head); err != nil {
			return o, err
		}
	}
	if _, err := os.Stat(c.Config); errors.Is(err, fs.ErrNotExist) && c.Config == defaultConfig {
		return o, nil
	}
	cfg, err := config.Peek(c.Config)
	if err != nil {
		return o, err
	}
	o.Key, err = auditKey(cfg.Audit)
	return o, err
}

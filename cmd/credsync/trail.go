package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/syncer"
)

// A place says where the audit trail's streams are.
type place struct {
	stdout, stderr audit.Stream
	fallback       audit.Stream // where the configuration names no destination
}

// daemonPlace is for run, whose standard output belongs to the trail.
func daemonPlace(t terminal) place {
	p := place{stdout: stream("standard output", t.out), stderr: stream("standard error", t.err)}
	p.fallback = p.stdout
	return p
}

// oneShot is for commands that report on standard output: there the trail would
// break the report, and the report the chain, so it goes to standard error.
func oneShot(t terminal) place {
	err := stream("standard error", t.err)
	return place{stdout: err, stderr: err, fallback: err}
}

func stream(name string, w io.Writer) audit.Stream { return audit.Stream{Name: name, Writer: w} }

// engine returns the engine of a one-shot command, and the audit trail under it.
// For a dry run there is none.
func (s *setup) engine(p place, dryRun bool) (*syncer.Engine, *audit.Trail, error) {
	engine, err := s.newEngine(&syncer.Memory{})
	if err != nil || dryRun {
		return engine, nil, err
	}
	trail, err := s.openTrail(p)
	if err != nil {
		return nil, nil, err
	}
	engine.Trail = trail
	return engine, trail, nil
}

// newEngine returns an engine that lacks its trail.
func (s *setup) newEngine(m *syncer.Memory) (*syncer.Engine, error) {
	engine := &syncer.Engine{Instance: s.cfg.Instance, Memory: m, Log: s.log}
	if s.cfg.FingerprintKey.IsZero() {
		return engine, nil
	}
	key, err := s.cfg.FingerprintKey.Read()
	if err != nil {
		return nil, fmt.Errorf("fingerprint_key: %w", err)
	}
	engine.Key = credential.NewFingerprintKey(key)
	return engine, nil
}

func (s *setup) openTrail(p place) (*audit.Trail, error) {
	trail, err := openTrail(s.cfg.Audit, p, s.knownHead())
	if errors.Is(err, audit.ErrUnfit) {
		return nil, usage(err)
	}
	return trail, err
}

func openTrail(destinations config.Audits, p place, head audit.Head) (*audit.Trail, error) {
	o := audit.Options{Host: hostname(), Head: head}
	var err error
	if o.Key, err = auditKey(destinations); err != nil {
		return nil, err
	}
	for _, d := range destinations {
		switch d.Stream {
		case "stdout":
			o.Streams = append(o.Streams, p.stdout)
		case "stderr":
			o.Streams = append(o.Streams, p.stderr)
		default:
			o.Files = append(o.Files, d.File)
		}
	}
	if len(destinations) == 0 {
		o.Streams = []audit.Stream{p.fallback}
	}
	return audit.Open(o)
}

// hostname is what this host is called where something is put on record.
func hostname() string {
	host, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return host
}

// auditKey reads the key of the trail; zero = it has none.
func auditKey(destinations config.Audits) (key credential.Secret, err error) {
	for _, d := range destinations {
		if d.Key.IsZero() {
			continue
		}
		if key, err = d.Key.Read(); err != nil {
			return key, fmt.Errorf("audit key: %w", err)
		}
	}
	return key, nil
}

// closeTrail waits until trail, which may be nil, holds all that was appended.
func closeTrail(trail *audit.Trail) error {
	if trail == nil {
		return nil
	}
	return trail.Close()
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/credsync/credsync/internal/doctor"
	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/sink"
)

// checkTimeout bounds one online step.
const checkTimeout = 30 * time.Second

// peers examines every source and sink, all at the same time, and returns a step
// for each.
func (s *setup) peers(ctx context.Context) []step {
	type peer struct {
		what  string
		steps []doctor.Step
	}
	var all []peer
	for _, name := range slices.Sorted(maps.Keys(s.sources)) {
		all = append(all, peer{"source " + name, s.sources[name].Examination()})
	}
	for _, name := range slices.Sorted(maps.Keys(s.targets)) {
		if steps := examination(s.targets[name].Sink); len(steps) > 0 {
			all = append(all, peer{"sink " + name, steps})
		}
	}
	found := make([]step, len(all))
	var examining sync.WaitGroup
	for i, p := range all {
		examining.Go(func() { found[i] = group(p.what, doctor.Examine(ctx, p.steps, checkTimeout)) })
	}
	examining.Wait()
	return found
}

// examination returns how s is examined: in steps, or as a whole.
func examination(s sink.Sink) []doctor.Step {
	switch s := s.(type) {
	case doctor.Examiner:
		return s.Examination()
	case sink.Checker:
		return []doctor.Step{{Name: "access", Do: s.Check}}
	}
	return nil
}

// group makes one step of findings: it is well where all of them are.
func group(what string, findings []doctor.Finding) step {
	g := step{What: what, OK: true}
	var faults []string
	for _, f := range findings {
		s := verdict(f.Name, f.Err)
		s.Advice, s.NotTried = f.Advice, f.After
		if f.After != "" {
			s.OK = false
		}
		if f.Err != nil {
			faults = append(faults, f.Err.Error())
		}
		g.OK = g.OK && s.OK
		g.Advice = append(g.Advice, f.Advice...)
		g.Steps = append(g.Steps, s)
	}
	g.Error = strings.Join(faults, "\n")
	return g
}

// host looks whether this host lets us keep what a run keeps. It leaves nothing
// behind.
func (s *setup) host(ctx context.Context) []step {
	var steps []doctor.Step
	if dir := s.cfg.StateDir; dir != "" {
		steps = append(steps, doctor.Step{Name: "state_dir " + dir, Do: func(context.Context) ([]string, error) { return nil, writable(dir) }})
	}
	for _, d := range s.cfg.Audit {
		if d.File != "" {
			steps = append(steps, doctor.Step{Name: "audit file " + d.File, Do: func(context.Context) ([]string, error) { return nil, appendable(d.File) }})
		}
	}
	if len(steps) == 0 {
		return nil
	}
	return []step{group("this host", doctor.Examine(ctx, steps, checkTimeout))}
}

// appendable returns nil where the file at path can be appended to, or made.
func appendable(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return writable(filepath.Dir(path))
	case err != nil:
		return fmt.Errorf("can't be appended to: %w; let this user write it (chown), or run as the user of the service", fault.Cause(err))
	}
	return f.Close()
}

// writable returns nil where a file can be made in dir.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".credsync-*")
	if err != nil {
		return fmt.Errorf("no file can be made in %s: %w; give the directory to this user (chown), or run as the user of the service", dir, fault.Cause(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/awssm"
	"github.com/credsync/credsync/internal/sink/file"
	"github.com/credsync/credsync/internal/sink/vaultkv"
	"github.com/credsync/credsync/internal/source"
	"github.com/credsync/credsync/internal/source/smapi"
	"github.com/credsync/credsync/internal/state"
	"github.com/credsync/credsync/internal/syncer"
)

// A setup is a configuration with everything open that it names. Opening asks
// no server: one that is down is met when it is needed.
type setup struct {
	cfg      *config.Config
	log      *zap.Logger
	screen   *screen // where log goes
	requests *counter
	state    *state.Dir // nil = nothing is remembered
	sources  map[string]*smapi.Source
	targets  map[string]syncer.Target // by the sink's name
	jobs     []syncer.Job             // by name, in order
}

// setup loads the configuration and opens what it names.
func (c *cli) setup(t terminal) (*setup, error) {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return nil, usage(err)
	}
	screen := &screen{Writer: t.err}
	s, err := open(cfg, c.logger(screen))
	if err != nil {
		return nil, err
	}
	s.screen = screen
	return s, nil
}

// known returns a usage error unless name is one of the keys of named.
func known[T any](what, name string, named map[string]T, path string) error {
	if _, ok := named[name]; ok {
		return nil
	}
	return usage(fmt.Errorf("no %s named %q in %s; there are: %s", what, name, path, strings.Join(slices.Sorted(maps.Keys(named)), ", ")))
}

// open opens what cfg names, but for the audit trail.
func open(cfg *config.Config, log *zap.Logger) (*setup, error) {
	s := &setup{cfg: cfg, log: log, requests: &counter{}, sources: make(map[string]*smapi.Source), targets: make(map[string]syncer.Target)}
	if cfg.StateDir != "" {
		var err error
		if s.state, err = state.Open(cfg.StateDir); err != nil {
			log.Warn("nothing is remembered between runs", zap.Error(err))
		}
	}
	for name, c := range cfg.Sources {
		s.sources[name] = s.openSource(name, c)
	}
	for name, c := range cfg.Sinks {
		var err error
		if s.targets[name], err = s.openTarget(name, c); err != nil {
			return nil, fmt.Errorf("sink %s: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Jobs)) {
		s.jobs = append(s.jobs, s.job(name, cfg.Jobs[name]))
	}
	for i := range s.jobs {
		s.jobs[i].Neighbours = neighbours(s.jobs, i)
	}
	return s, nil
}

// close releases what open took.
func (s *setup) close() {
	for _, src := range s.sources {
		src.CloseIdleConnections()
	}
	if s.state != nil {
		_ = s.state.Close() // nothing is written any more
	}
}

func (s *setup) openSource(name string, c config.Source) *smapi.Source {
	o := smapi.Options{Observe: s.requests.observe, Log: s.log.With(zap.String("source", name))}
	if s.state != nil {
		o.Tokens = smapi.FileTokens(s.state, name)
		s.recall(paceFile(name), &o.Pace)
	}
	return smapi.Open(*c.SMAPI, o)
}

// openTarget opens the one kind of sink that c names.
func (s *setup) openTarget(name string, c config.Sink) (syncer.Target, error) {
	t := syncer.Target{Name: name}
	var template string
	var err error
	switch {
	case c.VaultKV != nil:
		t.Form, template = c.VaultKV.Form(), c.VaultKV.NameTemplate()
		t.Sink, err = vaultkv.Open(*c.VaultKV, vaultkv.Options{Observe: s.requests.observe, Instance: s.cfg.Instance})
	case c.AWS != nil:
		t.Form, template = c.AWS.Form(), c.AWS.NameTemplate()
		t.Sink, err = awssm.Open(*c.AWS, awssm.Options{Observe: s.requests.observe})
	case c.File != nil:
		t.Form, template = c.File.Form(), c.File.NameTemplate()
		t.Sink, err = file.Open(*c.File, s.requests.observe)
	default:
		err = errors.New("no kind")
	}
	if err != nil {
		return t, err
	}
	for _, field := range slices.Sorted(maps.Keys(c.Fields)) {
		t.Fields = append(t.Fields, syncer.FieldTemplate{Name: field, Value: c.Fields[field]})
	}
	t.Names, err = sink.ParseTemplate(template)
	return t, err
}

func (s *setup) job(name string, c config.Job) syncer.Job {
	src := s.sources[c.Source]
	settings := s.cfg.Sources[c.Source].SMAPI
	job := syncer.Job{
		Name: name, Source: src, Workers: settings.Workers(), Skills: s.list(c, src),
		MaxChanges: c.MaxChanges.Share(), Timeout: c.Timeout,
	}
	if settings.Verifies() {
		job.Verify = src
	}
	for _, sinkName := range c.Sinks {
		job.Targets = append(job.Targets, s.targets[sinkName])
	}
	return job
}

// list returns how a job's skill list is read.
func (s *setup) list(c config.Job, src *smapi.Source) func(context.Context) ([]source.Entry, error) {
	if c.Skills.Vendor != "" {
		return func(ctx context.Context) ([]source.Entry, error) { return vendorList(ctx, src, c.Skills.Vendor) }
	}
	return func(context.Context) ([]source.Entry, error) { return c.Skills.Entries() }
}

func vendorList(ctx context.Context, src source.Lister, vendor string) ([]source.Entry, error) {
	skills, err := src.Skills(ctx, vendor)
	if err != nil {
		return nil, fmt.Errorf("skill list of vendor %s: %w", vendor, err)
	}
	if len(skills) == 0 {
		return nil, fmt.Errorf("skill list of vendor %s: Amazon knows no skill there; check the vendor ID", vendor)
	}
	entries := make([]source.Entry, len(skills))
	for i, sk := range skills {
		entries[i] = source.Entry{Skill: sk.ID, Where: source.Place{List: "vendor " + vendor}}
	}
	return entries, nil
}

// neighbours returns the other jobs that share a sink with jobs[i].
func neighbours(jobs []syncer.Job, i int) (shared []syncer.Job) {
	mine := make(map[string]bool)
	for _, t := range jobs[i].Targets {
		mine[t.Name] = true
	}
	for j, job := range jobs {
		if j != i && slices.ContainsFunc(job.Targets, func(t syncer.Target) bool { return mine[t.Name] }) {
			shared = append(shared, job)
		}
	}
	return shared
}

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/awssm"
	"github.com/credsync/credsync/internal/sink/file"
	"github.com/credsync/credsync/internal/sink/vaultkv"
	"github.com/credsync/credsync/internal/source"
	"github.com/credsync/credsync/internal/source/smapi"
	"github.com/credsync/credsync/internal/state"
	"github.com/credsync/credsync/internal/suggest"
	"github.com/credsync/credsync/internal/syncer"
)

// A process is what a process has once, whichever configurations it works by.
type process struct {
	log      *zap.Logger
	screen   *screen // where log goes
	requests *counter
	state    *state.Dir                  // nil = nothing is remembered
	tokens   map[string]smapi.TokenStore // by the source's name
	amazon   http.RoundTripper           // on the way to Amazon; nil = the network
}

func newProcess(cfg *config.Config, log *zap.Logger) *process {
	p := &process{log: log, requests: &counter{}, tokens: make(map[string]smapi.TokenStore)}
	if cfg.StateDir != "" {
		var err error
		if p.state, err = state.Open(cfg.StateDir); err != nil {
			log.Warn("nothing is remembered between runs", zap.Error(err))
		}
	}
	return p
}

// A setup is a configuration with everything open that it names. Opening asks
// no server: one that is down is met when it is needed.
type setup struct {
	*process
	cfg     *config.Config
	sources map[string]*smapi.Source
	targets map[string]syncer.Target // by the sink's name
	jobs    []syncer.Job             // by name, in order
}

// setup loads the configuration and opens what it names.
func (c *cli) setup(t terminal) (*setup, error) {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return nil, usage(err)
	}
	return c.open(cfg, t)
}

// open opens what cfg names, with a log at t.
func (c *cli) open(cfg *config.Config, t terminal) (*setup, error) {
	screen := &screen{Writer: t.err}
	p := newProcess(cfg, c.logger(screen))
	p.screen = screen
	return open(cfg, p, nil)
}

// known returns a usage error unless name is one of the keys of named.
func known[T any](what, name string, named map[string]T, path string) error {
	if _, ok := named[name]; ok {
		return nil
	}
	return usage(fmt.Errorf("no %s named %q in %s; %s", what, name, path, suggest.Hint(name, slices.Sorted(maps.Keys(named)), "there are")))
}

// open opens what cfg names, but for the audit trail. What prev, unless it is
// nil, has open under the same settings goes on with its connections, its token
// and its pace.
func open(cfg *config.Config, p *process, prev *setup) (*setup, error) {
	s := &setup{process: p, cfg: cfg, sources: make(map[string]*smapi.Source), targets: make(map[string]syncer.Target)}
	for name, c := range cfg.Sources {
		var err error
		if s.sources[name], err = s.openSource(name, c, prev); err != nil {
			return nil, fmt.Errorf("source %s: %w", name, err)
		}
	}
	for name, c := range cfg.Sinks {
		var err error
		if s.targets[name], err = s.openTarget(name, c, prev); err != nil {
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
	s.closeIdle()
	if s.state != nil {
		_ = s.state.Close() // nothing is written any more
	}
}

func (s *setup) openSource(name string, c config.Source, prev *setup) (*smapi.Source, error) {
	if src := prev.source(name, c); src != nil {
		return src, nil
	}
	o := smapi.Options{Observe: s.requests.observe, Log: s.log.With(zap.String("source", name)), Tokens: s.tokenStore(name), Base: s.amazon}
	s.recall(paceFile(name), &o.Pace)
	return smapi.Open(*c.SMAPI, o)
}

// tokenStore returns where a refresh token of the named source is kept that
// Amazon rotated: the same for as long as the process lives.
func (p *process) tokenStore(name string) smapi.TokenStore {
	if p.tokens[name] == nil {
		if p.state != nil {
			p.tokens[name] = smapi.FileTokens(p.state, name)
		} else {
			p.tokens[name] = smapi.MemoryTokens(p.log.With(zap.String("source", name)))
		}
	}
	return p.tokens[name]
}

func (s *setup) openTarget(name string, c config.Sink, prev *setup) (t syncer.Target, err error) {
	t = syncer.Target{Name: name, Sink: prev.sink(name, c, s.cfg.Instance)}
	if t.Sink == nil {
		if t.Sink, err = s.openSink(c); err != nil {
			return t, err
		}
	}
	var template string
	t.Form, template = shape(c)
	for _, field := range slices.Sorted(maps.Keys(c.Fields)) {
		t.Fields = append(t.Fields, syncer.FieldTemplate{Name: field, Value: c.Fields[field]})
	}
	t.Names, err = sink.ParseTemplate(template)
	return t, err
}

// openSink opens the one kind of sink that c names.
func (s *setup) openSink(c config.Sink) (sink.Sink, error) {
	switch {
	case c.VaultKV != nil:
		return vaultkv.Open(*c.VaultKV, vaultkv.Options{Observe: s.requests.observe, Instance: s.cfg.Instance})
	case c.AWS != nil:
		return awssm.Open(*c.AWS, awssm.Options{Observe: s.requests.observe})
	case c.File != nil:
		return file.Open(*c.File, s.requests.observe)
	}
	return nil, errors.New("no kind")
}

// shape returns how the records of a sink are made, and the template of its names.
func shape(c config.Sink) (sink.Form, string) {
	switch {
	case c.VaultKV != nil:
		return c.VaultKV.Form(), c.VaultKV.NameTemplate()
	case c.AWS != nil:
		return c.AWS.Form(), c.AWS.NameTemplate()
	default:
		return c.File.Form(), c.File.NameTemplate()
	}
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

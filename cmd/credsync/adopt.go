package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
	"github.com/credsync/credsync/internal/syncer"
)

type adoptCmd struct {
	Sink   string   `complete:"sink" required:"" placeholder:"S" help:"The sink, by its name in the configuration."`
	Skills []string `complete:"skill" arg:"" optional:"" name:"skill" help:"The skill IDs whose secrets to take over."`
	All    bool     `help:"Take over the secrets of all skills on the lists of the jobs that write to this sink."`
	DryRun bool     `help:"Only say what would be taken over."`
}

// Help is what --help adds.
func (adoptCmd) Help() string {
	return `For secrets that somebody else put at the names where a job would write: on day
one, after a change of instance, after another tool wiped the mark. The value
stays; the next sync sets it. Whoever wrote there before should stop.

Examples:
  credsync adopt --sink vault --all --dry-run
  credsync adopt --sink vault amzn1.ask.skill.01234567-89ab-cdef-0123-456789abcdef`
}

func (cmd adoptCmd) Run(ctx context.Context, c *cli, t terminal) error {
	if cmd.All == (len(cmd.Skills) > 0) {
		return usage(errors.New("name the skills to adopt, or say --all"))
	}
	ids, err := parseIDs(cmd.Skills)
	if err != nil {
		return err
	}
	s, err := c.setup(t)
	if err != nil {
		return err
	}
	defer s.close()
	if err := known("sink", cmd.Sink, s.cfg.Sinks, s.cfg.Path); err != nil {
		return err
	}
	engine, trail, err := s.engine(oneShot(t), cmd.DryRun)
	if err != nil {
		return err
	}
	all, err := s.adopt(ctx, engine, cmd, ids)
	if trail != nil {
		s.keepHead(trail)
	}
	code, shown := showAdoptions(t, all)
	return conclude(code, []error{err, shown, closeTrail(trail)})
}

// adopt takes over, for each job that writes to the sink, what the job's list
// and the command line both name.
func (s *setup) adopt(ctx context.Context, engine *syncer.Engine, cmd adoptCmd, ids []credential.SkillID) (all []syncer.Adoption, err error) {
	missing := slices.Clone(ids)
	if !slices.ContainsFunc(s.jobs, func(j syncer.Job) bool { return target(j, cmd.Sink) >= 0 }) {
		return nil, usage(fmt.Errorf("no job writes to sink %s, so nothing names what to adopt", cmd.Sink))
	}
	for _, job := range s.jobs {
		i := target(job, cmd.Sink)
		if i < 0 {
			continue
		}
		entries, err := job.Skills(ctx)
		if err != nil {
			return all, err
		}
		if !cmd.All {
			entries = slices.DeleteFunc(entries, func(e source.Entry) bool { return e.Err != nil || !slices.Contains(ids, e.Skill) })
		}
		for _, e := range entries {
			missing = slices.DeleteFunc(missing, func(id credential.SkillID) bool { return id == e.Skill })
		}
		all = append(all, engine.Adopt(ctx, job.Name, job.Targets[i], entries, cmd.DryRun)...)
	}
	for _, id := range missing {
		all = append(all, syncer.Adoption{
			Skill: id, Sink: cmd.Sink, Outcome: syncer.NotAdopted,
			Error: "on the list of no job that writes to this sink; add it there first",
		})
	}
	return all, nil
}

// target returns the index of the sink in job, or -1.
func target(job syncer.Job, sink string) int {
	return slices.IndexFunc(job.Targets, func(t syncer.Target) bool { return t.Name == sink })
}

func showAdoptions(t terminal, all []syncer.Adoption) (exitCode, error) {
	var b strings.Builder
	failed, useful := false, false
	for _, a := range all {
		fmt.Fprintf(&b, "%-16s  %s\n", a.Outcome, printable(cmp.Or(a.Name, string(a.Skill))))
		if a.Outcome == syncer.NotAdopted {
			failed = true
			fmt.Fprintf(&b, "%-16s  %s\n", "", printable(a.Error))
		} else {
			useful = true
		}
	}
	_, err := io.WriteString(t.out, b.String())
	switch {
	case !useful:
		return exitFailed, err
	case failed:
		return exitPartial, err
	}
	return exitOK, err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/emulator"
	"github.com/credsync/credsync/internal/syncer"
)

type demoCmd struct{}

// Help is what --help adds.
func (demoCmd) Help() string {
	return `Starts a local Amazon with 25 skills, syncs them into files in a temporary
directory, rotates two secrets, syncs again, and checks the audit trail.

Examples:
  credsync demo`
}

const (
	demoSkills  = 25
	demoRotated = 2
)

func (demoCmd) Run(ctx context.Context, t terminal) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.MkdirTemp("", "credsync-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	amazon := emulator.New(emulator.Options{Skills: demoSkills})
	server, err := emulator.Serve(ctx, "", amazon)
	if err != nil {
		return err
	}
	path, err := emulator.WriteConfig(dir, server.URL, amazon)
	if err != nil {
		return err
	}
	d := &demo{t: t, path: path, dir: dir, amazon: amazon}
	if err := d.tour(ctx); err != nil {
		return err
	}
	cancel()
	return server.Wait()
}

// A demo is the tour while it is given.
type demo struct {
	t         terminal
	path, dir string
	amazon    *emulator.Amazon
}

func (d *demo) tour(ctx context.Context) error {
	d.say("1. A local Amazon with %d skills, and a configuration for it in\n   %s\n", demoSkills, d.dir)
	d.say("2. The first sync fills the sink, here a directory of files:\n")
	first, err := d.sync(ctx)
	if err != nil {
		return err
	}
	d.say("3. Amazon rotates %d secrets; the second sync finds them:\n", demoRotated)
	d.amazon.RotateNext(demoRotated)
	second, err := d.sync(ctx)
	if err != nil {
		return err
	}
	d.say("4. The audit trail has an intent and an outcome for each write:\n")
	if err := d.verify(); err != nil {
		return err
	}
	if first.Counts[syncer.Created] != demoSkills || second.Counts[syncer.Updated] != demoRotated || second.Counts[syncer.Unchanged] != demoSkills-demoRotated {
		return fmt.Errorf("this is not what the demo promises: created %d, updated %d, unchanged %d; please report it",
			first.Counts[syncer.Created], second.Counts[syncer.Updated], second.Counts[syncer.Unchanged])
	}
	d.say("That is all; the directory is removed. To keep one: credsync emulator --dir DIR\n")
	return nil
}

func (d *demo) sync(ctx context.Context) (syncer.Summary, error) {
	cfg, err := config.Load(d.path)
	if err != nil {
		return syncer.Summary{}, err
	}
	s, err := open(cfg, newProcess(cfg, zap.NewNop()), nil)
	if err != nil {
		return syncer.Summary{}, err
	}
	defer s.close()
	engine, trail, err := s.engine(oneShot(d.t), false)
	if err != nil {
		return syncer.Summary{}, err
	}
	table := &tableReport{w: d.t.out, command: "credsync"}
	sum := engine.Sync(ctx, s.jobs[0], syncer.Options{Trigger: syncer.TriggerManual}, table)
	s.ended(trail, sum, false)
	if err := table.Finish(sum, s.requests.now()); err != nil {
		return sum, err
	}
	return sum, errors.Join(ctx.Err(), closeTrail(trail))
}

func (d *demo) verify() error {
	name := filepath.Join(d.dir, "audit.jsonl")
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	report, err := audit.Verify(f, audit.VerifyOptions{})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	d.say("   %d records, each chained to the one before; the chain holds\n", report.Records)
	return nil
}

func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.t.out, format+"\n", args...)
}

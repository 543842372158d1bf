package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/config"
)

// reload takes up the configuration as its file is now. Where that can't be
// done nothing changes, and everybody who looks is told.
func (d *service) reload(ctx context.Context) {
	d.manager.reloading()
	d.trail.Reopen()
	d.log.Info("SIGHUP: audit files opened anew; reading the configuration", zap.String("config", d.current.cfg.Path))
	before := d.current.cfg.SHA256
	next, digest, err := d.successor(ctx)
	if err == nil {
		d.take(ctx, next)
		d.refused = ""
		d.log.Info("configuration taken up", zap.Int("jobs", len(next.loops)), zap.String("instance", next.cfg.Instance), zap.String("sha256", digest))
	} else {
		d.refuse(err)
	}
	d.record(ctx, before, digest, err)
	d.manager.reloaded(d.status())
}

// successor opens what the file says now. The digest is that of the file, where
// it could be read, also if it is of no use.
func (d *service) successor(ctx context.Context) (next *generation, digest string, err error) {
	now := d.current
	cfg, err := config.Load(now.cfg.Path)
	if e, ok := errors.AsType[*config.Error](err); ok {
		return nil, e.SHA256, err
	}
	if err := now.cfg.CheckNext(cfg); err != nil {
		return nil, cfg.SHA256, err
	}
	s, err := open(cfg, now.process, now.setup)
	if err != nil {
		return nil, cfg.SHA256, err
	}
	next, err = s.generation(ctx, d.memory, now)
	return next, cfg.SHA256, err
}

// refuse says all that is wrong with the configuration.
func (d *service) refuse(err error) {
	faults := 1
	if e, ok := errors.AsType[*config.Error](err); ok {
		faults = len(e.Problems)
		for _, p := range e.Problems {
			d.log.Error("fault in the configuration", zap.String("fault", p.String()))
		}
	} else {
		d.log.Error("fault in the configuration", zap.Error(err))
	}
	const still = "the one before is at work"
	d.refused = fmt.Sprintf("configuration refused at %s (%d %s, see the log), %s", time.Now().Format(time.RFC3339), faults, plural(faults, "fault"), still)
	d.log.Error("configuration refused; "+still, zap.Int("faults", faults))
}

// record notes in the trail which file was in force and which came.
func (d *service) record(ctx context.Context, now, next string, err error) {
	r := audit.Record{Event: audit.ConfigReload, Trigger: "signal", Outcome: "applied", PrevVersion: now, Version: next}
	if err != nil {
		r.Outcome, r.Reason = "failed", "invalid"
	}
	if err := d.trail.Append(ctx, r); err != nil {
		d.log.Error("the reload is not on record", zap.Error(err))
	}
}

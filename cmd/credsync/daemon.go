package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/scheduler"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/syncer"
)

type runCmd struct{}

// Help is what --help adds.
func (runCmd) Help() string {
	return `Runs until SIGTERM or SIGINT; a write in flight is finished first. Skill lists
are read anew at each run, the configuration at the start.`
}

func (runCmd) Run(ctx context.Context, c *cli, t terminal) error {
	s, err := c.setup(t)
	if err != nil {
		return err
	}
	defer s.close()
	loops, err := s.loops()
	if err != nil {
		return usage(err)
	}
	face, err := s.openFace()
	if err != nil {
		return err
	}
	defer face.close()
	engine, trail, err := s.engine(daemonPlace(t), false)
	if err != nil {
		return err
	}
	endTrace, err := s.trace(ctx, engine)
	if err != nil {
		return err
	}
	defer endTrace()
	d := &service{setup: s, engine: engine, trail: trail, budget: s.budget(), bulletin: s.bulletin(), face: face, healable: make(map[string][]credential.SkillID)}
	s.recall(lastSlotsFile, &d.slots)
	d.serve(ctx, loops)
	d.bulletin.close(ctx)
	return closeTrail(trail)
}

// A jobLoop is a job with its schedule.
type jobLoop struct {
	scheduler.Loop
	job syncer.Job
}

// loops returns the jobs that have a schedule.
func (s *setup) loops() ([]jobLoop, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	var loops []jobLoop
	for _, job := range s.jobs {
		c := s.cfg.Jobs[job.Name]
		if c.Schedule == "" {
			s.log.Warn("job has no schedule and is left to sync", zap.String("job", job.Name))
			continue
		}
		zone, err := c.Location()
		if err != nil {
			return nil, fmt.Errorf("job %s: time_zone: %w", job.Name, err)
		}
		schedule, err := scheduler.Parse(c.Schedule, zone)
		if err != nil {
			return nil, fmt.Errorf("job %s: schedule: %w", job.Name, err)
		}
		loops = append(loops, jobLoop{scheduler.Loop{
			Schedule: schedule, Offset: scheduler.Offset(host, job.Name, c.Jitter), OnStart: c.OnStart,
		}, job})
	}
	if len(loops) == 0 {
		return nil, errors.New("no job has a schedule; give one a schedule, as \"0 */6 * * *\", or use credsync sync")
	}
	return loops, nil
}

// A service is the daemon while it runs.
type service struct {
	*setup
	engine   *syncer.Engine
	trail    *audit.Trail
	budget   *budget
	bulletin *bulletin
	face     *face

	mu       sync.Mutex
	slots    lastSlots
	healable map[string][]credential.SkillID // by job, of its last run
}

// serve runs every loop, and what keeps the sinks' tokens alive, until ctx ends.
func (d *service) serve(ctx context.Context, loops []jobLoop) {
	var wg sync.WaitGroup
	d.face.follow(d.setup, loops, d.trail)
	for _, l := range loops {
		l.Last = d.slots.Slots[l.job.Name]
		log := d.log.With(zap.String("job", l.job.Name))
		l.OnWait = func(next time.Time) {
			d.face.waiting(l.job.Name, next)
			if ctx.Err() == nil {
				log.Info("waiting", zap.Time("next", next))
			}
		}
		l.OnPanic = func(v any, stack []byte) {
			log.Error("run panicked", zap.String("type", fmt.Sprintf("%T", v)), zap.ByteString("stack", stack))
		}
		wg.Go(func() {
			l.Run(ctx, func(ctx context.Context, slot scheduler.Slot) bool { return d.run(ctx, l.job, slot) })
		})
	}
	for name, t := range d.targets {
		if k, ok := t.Sink.(sink.Keeper); ok {
			wg.Go(func() { d.keep(ctx, name, k) })
		}
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	d.log.Info("ready", zap.Int("jobs", len(loops)), zap.String("instance", d.cfg.Instance), zap.String("config", d.cfg.Path))
	d.notify(daemon.SdNotifyReady)
	for done := false; !done; {
		select {
		case <-hangups:
			d.trail.Reopen()
			d.log.Info("SIGHUP: audit files opened anew; the configuration is read at the start only, restart to take up a change")
		case <-ctx.Done():
			done = true
		}
	}
	d.notify(daemon.SdNotifyStopping)
	d.log.Info("stopping")
	wg.Wait()
}

// run makes the pass of one slot. It reports whether a try before the next slot
// may heal what failed.
func (d *service) run(ctx context.Context, job syncer.Job, slot scheduler.Slot) (again bool) {
	opts := syncer.Options{Trigger: syncer.Trigger(slot.Trigger)}
	d.mu.Lock()
	if slot.Trigger == scheduler.Heal {
		opts.Only = d.healable[job.Name]
	}
	d.mu.Unlock()
	if slot.Missed > 0 {
		d.log.Warn("slots were missed", zap.String("job", job.Name), zap.Int("missed", slot.Missed))
	}
	seen := d.face.begin(job.Name, opts)
	defer seen.abandon()
	told := &reports{to: []reporter{logReport{d.budget, d.log.With(zap.String("job", job.Name))}, &notice{bulletin: d.bulletin}, seen}}
	sum := d.engine.Sync(ctx, job, opts, told)
	if err := told.Finish(sum, nil); err != nil {
		d.log.Error("run not told of", zap.Error(err))
	}
	d.ended(d.trail, sum, false)
	for _, o := range sum.Orphans {
		d.log.Warn("orphan", zap.String("job", job.Name), zap.String("sink", o.Sink), zap.String("name", o.Name), zap.String("skill", string(o.Skill)))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.healable[job.Name] = sum.Healable
	if ctx.Err() == nil { // a run that was stopped is not done: the next start makes up for it
		if d.slots.Slots == nil {
			d.slots.Slots = make(map[string]time.Time)
		}
		d.slots.Slots[job.Name] = slot.Time.UTC()
		d.remember(lastSlotsFile, d.slots)
	}
	return sum.Err != nil || len(sum.Healable) > 0
}

// keepAgain is how long a sink that refused to keep its token is left alone.
const keepAgain = 10 * time.Minute

// keep looks after the token of one sink. A refusal is not the end of it: each
// run logs in for itself, and what was refused may be allowed later.
func (d *service) keep(ctx context.Context, name string, k sink.Keeper) {
	for ctx.Err() == nil {
		if err := k.Keep(ctx); err != nil && ctx.Err() == nil {
			d.log.Warn("token not kept alive between runs", zap.String("sink", name), zap.Error(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(keepAgain):
		}
	}
}

// notify tells systemd, where that has started us.
func (d *service) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		d.log.Warn("systemd not told", zap.String("state", state), zap.Error(err))
	}
}

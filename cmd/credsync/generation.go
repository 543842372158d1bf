package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/scheduler"
	"github.com/credsync/credsync/internal/syncer"
)

// A generation is one configuration at work. A run belongs to one of them, from
// its beginning to its end.
type generation struct {
	*setup
	engine   *syncer.Engine
	loops    []jobLoop
	bulletin *bulletin
	lanes    int // that work by it, or will; guarded by service.mu
}

// A jobLoop is a job with its schedule.
type jobLoop struct {
	scheduler.Loop
	job syncer.Job
}

// generation makes s ready to work, with what a daemon remembers. It lacks what
// take gives it: the trail, and who is told of runs.
func (s *setup) generation(m *syncer.Memory) (*generation, error) {
	loops, err := s.loops()
	if err != nil {
		return nil, err
	}
	engine, err := s.newEngine(m)
	return &generation{setup: s, engine: engine, loops: loops, lanes: len(loops)}, err
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

// take makes g the generation at work. Jobs go over to it between two of their
// runs; those that it does not have end.
func (d *service) take(ctx context.Context, g *generation) {
	before := d.current
	g.engine.Trail = d.trail
	if before == nil {
		g.bulletin = g.setup.bulletin(nil)
	} else {
		g.bulletin = g.setup.bulletin(before.bulletin)
	}
	d.mu.Lock()
	d.current = g
	d.live = append(d.live, g)
	d.mu.Unlock()
	d.budget.follow(g.setup)
	for _, l := range g.loops {
		if before == nil {
			l.Last = d.slots.Slots[l.job.Name]
		} else {
			l.OnStart = false // a reload is no start
		}
		d.steer(ctx, g, l)
	}
	for _, l := range d.lanes {
		if !l.leaving && !slices.ContainsFunc(g.loops, func(j jobLoop) bool { return j.job.Name == l.job }) {
			l.leaving = true
			l.End()
		}
	}
	d.keep(ctx, g)
}

// leave notes that a lane has done with g. With the last of them goes what no
// other generation has.
func (d *service) leave(ctx context.Context, g *generation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if g.lanes--; g.lanes > 0 {
		return
	}
	d.live = slices.DeleteFunc(d.live, func(l *generation) bool { return l == g })
	var others []*setup
	kept := make(map[*receiver]bool)
	for _, l := range d.live {
		others = append(others, l.setup)
		for _, r := range l.bulletin.receivers() {
			kept[r] = true
		}
	}
	g.closeIdle(others...)
	for _, r := range g.bulletin.receivers() {
		if !kept[r] {
			d.running.Go(func() { r.close(ctx) })
		}
	}
}

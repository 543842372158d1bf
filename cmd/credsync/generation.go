package main

import (
	"context"
	"errors"
	"fmt"
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
	spans    *traces // nil = nowhere
	lanes    int     // that work by it, or will; guarded by service.mu
}

// A jobLoop is a job with its schedule.
type jobLoop struct {
	scheduler.Loop
	job syncer.Job
}

// generation makes s ready to work, with what a daemon remembers, and with what
// before, unless it is nil, has open under the same settings. The engine lacks
// its trail.
func (s *setup) generation(ctx context.Context, m *syncer.Memory, before *generation) (*generation, error) {
	loops, err := s.loops()
	if err != nil {
		return nil, err
	}
	if before == nil {
		before = &generation{}
	}
	g := &generation{setup: s, loops: loops, lanes: len(loops)}
	if g.engine, err = s.newEngine(m); err != nil {
		return nil, err
	}
	if g.spans, err = s.traces(ctx, before.spans); err != nil {
		return nil, err
	}
	g.engine.Tracer = g.spans.tracer()
	g.bulletin = s.bulletin(before.bulletin)
	return g, nil
}

// A closer has to be told when nothing is to come.
type closer interface{ close(context.Context) }

// closers returns all that g has which is one.
func (g *generation) closers() (all []closer) {
	for _, r := range g.bulletin.receivers() {
		all = append(all, r)
	}
	if g.spans != nil {
		all = append(all, g.spans)
	}
	return all
}

// loops returns the jobs that have a schedule.
func (s *setup) loops() ([]jobLoop, error) {
	host := hostname()
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
	d.mu.Lock()
	d.current = g
	d.live = append(d.live, g)
	d.mu.Unlock()
	d.budget.follow(g.setup)
	d.face.follow(g.setup, g.loops, d.trail)
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
	var kept []closer
	for _, l := range d.live {
		others, kept = append(others, l.setup), append(kept, l.closers()...)
	}
	g.closeIdle(others...)
	for _, c := range g.closers() {
		if !slices.Contains(kept, c) {
			d.running.Go(func() { c.close(ctx) })
		}
	}
}

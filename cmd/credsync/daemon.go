package main

import (
	"context"
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
	"github.com/credsync/credsync/internal/syncer"
)

type runCmd struct{}

// Help is what --help adds.
func (runCmd) Help() string {
	return `Runs until SIGTERM or SIGINT; a write in flight is finished first. SIGHUP takes up
a changed configuration, or says what is wrong with it and goes on with the old
one; it also opens rotated audit files anew. Skill lists are read at each run.

Examples:
  credsync run
  credsync run -c /etc/credsync/credsync.yaml --log-format json`
}

func (runCmd) Run(ctx context.Context, c *cli, t terminal) error {
	s, err := c.setup(t)
	if err != nil {
		return err
	}
	defer s.close()
	d := newService(s, newManager(s.log))
	first, err := s.generation(ctx, d.memory, nil)
	if err != nil {
		return usage(err)
	}
	if d.face, err = s.openFace(); err != nil {
		return err
	}
	defer d.face.close()
	if d.trail, err = s.openTrail(daemonPlace(t)); err != nil {
		return err
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	d.serve(ctx, first, hangups)
	return closeTrail(d.trail)
}

// A service is the daemon while it runs: what outlives a configuration.
type service struct {
	log     *zap.Logger
	manager *manager
	trail   *audit.Trail
	memory  *syncer.Memory
	budget  *budget
	face    *face         // nil = nobody is shown anything
	news    chan struct{} // asks serve to tell the manager how things are

	// Those of serve's goroutine alone.
	lanes   []*lane
	keepers map[string]keeper // by sink
	refused string            // says that the configuration in the file is not at work
	stuck   []string          // jobs whose lane is blocked
	running sync.WaitGroup    // lanes, keepers, and receivers that are let go of

	mu       sync.Mutex // guards what follows
	current  *generation
	live     []*generation // that runs may be of
	slots    lastSlots
	healable map[string][]credential.SkillID // by job, of its last run
}

func newService(s *setup, m *manager) *service {
	d := &service{
		log: s.log, manager: m, memory: &syncer.Memory{}, budget: s.budget(), news: make(chan struct{}, 1),
		keepers: make(map[string]keeper), healable: make(map[string][]credential.SkillID),
	}
	s.recall(lastSlotsFile, &d.slots)
	if d.slots.Slots == nil {
		d.slots.Slots = make(map[string]time.Time)
	}
	return d
}

// serve runs every job on its schedule until ctx ends, and takes up the
// configuration anew at each hangup.
func (d *service) serve(ctx context.Context, first *generation, hangups <-chan os.Signal) {
	d.take(ctx, first)
	d.log.Info("ready", zap.Int("jobs", len(first.loops)), zap.String("instance", first.cfg.Instance), zap.String("config", first.cfg.Path))
	d.manager.tell(daemon.SdNotifyReady, d.status())
	watch := time.NewTicker(d.manager.interval())
	defer watch.Stop()
	for ctx.Err() == nil {
		select {
		case <-hangups:
			d.reload(ctx)
		case <-d.news:
			d.manager.tell(d.status())
		case <-watch.C:
			d.watch()
		case <-ctx.Done():
		}
	}
	d.manager.tell(daemon.SdNotifyStopping, "STATUS=stopping")
	d.log.Info("stopping")
	d.running.Wait()
	for _, g := range d.live { // taken up when it was too late to run
		for _, c := range g.closers() {
			c.close(ctx)
		}
	}
}

// run makes the pass of one slot by g. It reports whether a try before the next
// slot may heal what failed.
func (d *service) run(ctx context.Context, g *generation, l *lane, job syncer.Job, slot scheduler.Slot) (again bool) {
	opts := d.begin(l, job, slot)
	seen := d.face.begin(job.Name, opts)
	defer seen.abandon()
	told := &reports{to: []reporter{logReport{d.budget, d.log.With(zap.String("job", job.Name))}, &notice{bulletin: g.bulletin}, seen}}
	sum := g.engine.Sync(ctx, job, opts, told)
	if err := told.Finish(sum, nil); err != nil {
		d.log.Error("run not told of", zap.Error(err))
	}
	d.end(ctx, g, l, slot, sum)
	return sum.Err != nil || len(sum.Healable) > 0
}

// begin is where each run starts. It returns how the run differs from others.
func (d *service) begin(l *lane, job syncer.Job, slot scheduler.Slot) syncer.Options {
	d.log.Debug("run begins", zap.String("job", job.Name), zap.String("trigger", string(slot.Trigger)), zap.Time("slot", slot.Time), zap.Int("missed", slot.Missed))
	if slot.Missed > 0 {
		d.log.Warn("slots were missed", zap.String("job", job.Name), zap.Int("missed", slot.Missed))
	}
	l.begin(job.Timeout)
	d.tell()
	opts := syncer.Options{Trigger: syncer.Trigger(slot.Trigger)}
	if slot.Trigger == scheduler.Heal {
		d.mu.Lock()
		defer d.mu.Unlock()
		opts.Only = d.healable[job.Name]
	}
	return opts
}

// end is where each run ends.
func (d *service) end(ctx context.Context, g *generation, l *lane, slot scheduler.Slot, sum syncer.Summary) {
	g.ended(d.trail, sum, false)
	for _, o := range sum.Orphans {
		d.log.Warn("orphan", zap.String("job", sum.Job), zap.String("sink", o.Sink), zap.String("name", o.Name), zap.String("skill", string(o.Skill)))
	}
	l.end(sum)
	d.tell()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.healable[sum.Job] = sum.Healable
	if ctx.Err() == nil { // a run that was stopped is not done: the next start makes up for it
		d.slots.Slots[sum.Job] = slot.Time.UTC()
		g.remember(lastSlotsFile, d.slots)
	}
}

package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/scheduler"
	"github.com/credsync/credsync/internal/syncer"
)

// patience is how long after its time a lane may be silent before it counts as
// blocked. A run that was told to end finishes its writes and its books meanwhile.
const patience = time.Minute

// A lane is where the runs of one job take place, whatever generation they are
// of, and what is known of them.
type lane struct {
	*scheduler.Lane
	job     string
	leaving bool          // no generation to come has the job; serve's goroutine alone knows
	done    chan struct{} // closed when the lane has ended

	mu      sync.Mutex
	heard   time.Time     // when it showed that it lives
	silence time.Duration // how long nothing need be heard after that; 0 = it has not begun
	next    time.Time     // when the next run is due; zero = there is none
	began   time.Time     // of the run under way; zero = there is none
	last    *result       // nil = no run yet
}

// A result is how a run ended.
type result struct {
	at  time.Time
	sum syncer.Summary
}

// over reports whether the lane has ended.
func (l *lane) over() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// begin notes that a run has begun that has so much time; 0 = as much as it likes.
func (l *lane) begin(timeout time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard, l.silence = time.Now(), timeout
	l.began = l.heard
}

// end notes how the run ended.
func (l *lane) end(sum syncer.Summary) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum.Orphans, sum.Healable = nil, nil
	l.began, l.last = time.Time{}, &result{time.Now(), sum}
}

// look notes that the loop has looked at the clock, so no run is under way.
func (l *lane) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard, l.silence, l.began = time.Now(), scheduler.Poll, time.Time{}
}

// wait notes when the next run is due.
func (l *lane) wait(next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = next
}

// blocked reports since when the lane should have been heard of, if it is not in
// time. These are times of the monotonic clock: while a machine sleeps, nobody
// is late.
func (l *lane) blocked() (since time.Time, late bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard, l.silence > 0 && time.Since(l.heard) > l.silence+patience
}

// steer hands the loop of a job to the job's lane, or starts one.
func (d *service) steer(ctx context.Context, g *generation, j jobLoop) {
	i := slices.IndexFunc(d.lanes, func(l *lane) bool { return l.job == j.job.Name && !l.leaving })
	if i >= 0 {
		d.lanes[i].Replace(d.hooked(ctx, g, d.lanes[i], j))
		return
	}
	l := &lane{job: j.job.Name, done: make(chan struct{})}
	l.Lane = scheduler.NewLane(d.hooked(ctx, g, l, j))
	var before []*lane // of the same job, while their last run lasts
	for _, other := range d.lanes {
		if other.job == l.job {
			before = append(before, other)
		}
	}
	d.lanes = append(d.lanes, l)
	d.running.Go(func() {
		defer d.tell()
		defer close(l.done)
		for _, b := range before {
			<-b.done
		}
		l.Run(ctx)
	})
}

// hooked completes the loop of a job in l, whose runs are of g.
func (d *service) hooked(ctx context.Context, g *generation, l *lane, j jobLoop) (scheduler.Loop, scheduler.Job) {
	log := d.log.With(zap.String("job", l.job))
	j.OnLook = l.look
	j.OnEnd = func() { d.leave(ctx, g) }
	j.OnWait = func(next time.Time) {
		l.wait(next)
		d.face.waiting(l.job, next)
		d.tell()
		if ctx.Err() == nil {
			log.Info("waiting", zap.Time("next", next))
		}
	}
	j.OnPanic = func(v any, stack []byte) {
		log.Error("run panicked", zap.String("type", fmt.Sprintf("%T", v)), zap.ByteString("stack", stack))
	}
	return j.Loop, func(ctx context.Context, slot scheduler.Slot) bool { return d.run(ctx, g, l, j.job, slot) }
}

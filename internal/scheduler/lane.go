package scheduler

import (
	"context"
	"time"
)

// A Lane is where the runs of one job take place, one after the other, while the
// job and its loop may be replaced. [NewLane] makes one.
type Lane struct {
	next chan shift // holds one, the latest; closed = the lane is to end
}

// A shift is a job with its loop, for as long as nothing replaces them.
type shift struct {
	Loop
	job Job
}

// NewLane returns a lane that begins with l and job once it runs.
func NewLane(l Loop, job Job) *Lane {
	lane := &Lane{make(chan shift, 1)}
	lane.next <- shift{l, job}
	return lane
}

// Replace puts l and job in the place of those that the lane has: at once or,
// while a job runs, right after it. Of several that come meanwhile, the last
// counts. Nobody may call Replace or End at the same time, and nobody after End.
//
// What the lane knows goes over: which slots are done, how many were missed, when
// a heal run is due. Where the schedule is the same nothing else happens; of
// another, slots count from now on. A replacement is no start: OnStart and Last
// mean nothing in it, and OnWait hears what changes by it.
func (lane *Lane) Replace(l Loop, job Job) {
	lane.withdraw()
	lane.next <- shift{l, job}
}

// End lets Run return once no job runs.
func (lane *Lane) End() {
	lane.withdraw()
	close(lane.next)
}

// withdraw takes back what the lane has not begun with.
func (lane *Lane) withdraw() {
	select {
	case s := <-lane.next:
		s.end()
	default:
	}
}

func (s shift) end() {
	if s.OnEnd != nil {
		s.OnEnd()
	}
}

// Run calls the lane's job at each slot until ctx is done or the lane is to end.
// Jobs and hooks are called in the goroutine of the caller: runs never overlap,
// ctx reaches the job, and Run returns once a running job has returned. It is
// called once.
//
// Slots that come while the job runs are missed, not made up for. Slots that
// come while the machine is suspended, or that a clock set forward has passed,
// are one run, at most 30 seconds after the machine is awake. A clock set back
// by up to a day repeats no slot.
//
// A job that returns true has failed in a way that can heal. It is tried again
// after 1, 2, 4, 8, 15, 15 ... minutes, less up to a quarter, unless its next
// slot is sooner; the count starts anew once it returns false.
func (lane *Lane) Run(ctx context.Context) {
	now, open := <-lane.next
	if !open {
		return
	}
	defer func() { now.end() }()
	p := newPlan(now.Loop, time.Now())
	slot, due := p.first(time.Now(), now.OnStart)
	var told *time.Time
	for ; ctx.Err() == nil; slot, due = p.due(time.Now()) {
		if due {
			again := now.call(ctx, now.job, slot)
			p.done(time.Now(), again)
		}
		if now.OnLook != nil {
			now.OnLook()
		}
		at := p.at()
		if now.OnWait != nil && (told == nil || !told.Equal(at)) {
			now.OnWait(at)
			told = &at
		}
		next, replaced, open := lane.wait(ctx, at)
		if !open {
			return
		}
		if replaced {
			now.end()
			now = next
			p.follow(now.Loop, time.Now())
		}
	}
}

// wait waits for the given time or a replacement, but not longer than Poll. A
// replacement that is there goes before a slot that is due. A lane that is to
// end is not open.
func (lane *Lane) wait(ctx context.Context, until time.Time) (next shift, replaced, open bool) {
	select {
	case next, open = <-lane.next:
		return next, open, open
	default:
	}
	d := Poll
	if !until.IsZero() {
		d = min(d, time.Until(until))
	}
	select {
	case next, open = <-lane.next:
		return next, open, open
	case <-ctx.Done():
	case <-time.After(d):
	}
	return shift{}, false, true
}

package scheduler

import (
	"context"
	"runtime/debug"
	"time"
)

// Poll is the longest that a loop sleeps. Timers stand still while a machine
// is suspended and do not notice a clock that is set: looking at the clock does.
const Poll = 30 * time.Second

// A Trigger is why a run takes place.
type Trigger string

// The triggers of a run.
const (
	Scheduled Trigger = "schedule" // its slot has come
	Start     Trigger = "start"    // the loop has started
	Heal      Trigger = "heal"     // the run before asked to be tried again
)

// A Slot tells a job which run it is.
type Slot struct {
	// Time is what to keep for [Loop.Last]: the slot of the run, without the
	// offset; in a start or heal run the latest slot that is behind us, or the
	// moment the loop started where there is none.
	Time    time.Time
	Trigger Trigger
	// Missed counts the slots since the run before that had none: they came
	// while a run took longer than the period, or while the machine or the
	// daemon was down. Each is counted once, up to ten thousand in a row.
	Missed int
}

// A Job is what a loop calls. It returns true when it has failed in a way that
// can heal.
type Job func(ctx context.Context, slot Slot) (again bool)

// A Loop says when one job runs. All fields but Schedule may be left out.
type Loop struct {
	Schedule Schedule
	Offset   time.Duration // how much later than its slot each run starts; see [Offset]
	OnStart  bool          // whether to run once when the loop starts

	// Last is [Slot.Time] of the last run, from before a restart: that slot
	// does not run again. Of the slots missed since then, the latest is made up
	// for if it came less than half a period ago, or less than two minutes.
	// The zero Time is right where nothing is known.
	Last time.Time

	// OnWait, if set, hears when the next run is due each time that changes;
	// the zero Time means that there is none.
	OnWait func(next time.Time)

	// OnLook, if set, hears each time that the loop looks at the clock: right
	// after each run, and while none is due once in [Poll] at least.
	OnLook func()

	// OnEnd, if set, hears that l is over: it was replaced, or its lane has
	// ended. Of a loop that nobody ran it hears in the goroutine that replaced it.
	OnEnd func()

	// OnPanic, if set, hears what a job panicked with, and where: that run has
	// failed, and the loop goes on. If nil, such a panic goes on its way. The
	// value may hold anything, a secret too; the stack shows no string.
	OnPanic func(value any, stack []byte)
}

// Run calls job at each slot until ctx is done, as a [Lane] does whose loop is
// never replaced.
func (l Loop) Run(ctx context.Context, job Job) { NewLane(l, job).Run(ctx) }

// call runs the job once. A panic asks for no heal run: it would come again.
func (l Loop) call(ctx context.Context, job Job, slot Slot) (again bool) {
	if l.OnPanic != nil {
		defer func() {
			if v := recover(); v != nil {
				l.OnPanic(v, debug.Stack())
				again = false
			}
		}()
	}
	return job(ctx, slot)
}

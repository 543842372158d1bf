package status

import (
	"cmp"
	"fmt"
	"time"

	"github.com/credsync/credsync/internal/syncer"
)

// keptRuns is how many runs of a job are remembered.
const keptRuns = 48

// A job is what a Board knows of one.
type job struct {
	settings JobSettings
	command  string // see Settings
	grid     *grid

	next    time.Time // when the next run is due, by the wall clock
	due     time.Time // the same by the clock that nobody sets
	running *running  // nil = none
	number  uint32    // of the last run
	runs    []Run     // newest first

	lastRun, lastSuccess time.Time
	skills, orphans      int // of the last whole run that could be made
}

// A running is a run that goes on.
type running struct {
	number      uint32
	trigger     syncer.Trigger
	started     time.Time
	whole       bool // it is over all skills
	listed      bool // the skill list was read
	done, total int
}

func (j *job) waiting(next time.Time) {
	j.next, j.due = next, time.Time{}
	if !next.IsZero() {
		j.due = time.Now().Add(time.Until(next))
	}
}

func (j *job) begin(o syncer.Options) *running {
	j.number++
	j.running = &running{number: j.number, trigger: o.Trigger, whole: len(o.Only) == 0, started: time.Now()}
	return j.running
}

// end takes note of what run came to. Only a run over all skills that read its
// list shows which of them have left it.
func (j *job) end(run *running, s syncer.Summary) Run {
	if j.running == run {
		j.running = nil
	}
	if run.whole && run.listed {
		j.grid.prune(run.number)
		j.skills, j.orphans = s.Skills, len(s.Orphans)
	}
	r := runOf(run, s)
	if s.Err == nil {
		j.lastRun = time.Now()
		if r.Result == OK && (run.whole || j.grid.good()) {
			j.lastSuccess = j.lastRun
		}
	}
	j.runs = append([]Run{r}, j.runs[:min(len(j.runs), keptRuns-1)]...)
	return r
}

func runOf(run *running, s syncer.Summary) Run {
	d := s.Digest()
	r := Run{
		Run: d.Run, Trigger: run.trigger, Started: s.Started.UTC().Round(time.Millisecond), TookSeconds: d.TookSeconds,
		Result: verdict(s), Skills: d.Skills, Outcomes: d.Outcomes, Orphans: len(d.Orphans), Brake: d.Brake, Error: d.Error,
	}
	if s.Brake != "" {
		r.Plan = s.Plan
	}
	return r
}

// verdict says how a run ended; it goes by what [syncer.Summary] counts.
func verdict(s syncer.Summary) Verdict {
	switch {
	case s.Brake != "":
		return Braked
	case s.Err == nil && s.Short() == 0:
		return OK
	case s.Useful():
		return Partial
	}
	return Failed
}

// grace is how late a run may begin or end before that means something: a loop
// looks at the clock every 30 s, a write in flight is finished after the timeout.
const grace = 5 * time.Minute

// late returns for how long a run should have begun, or have ended, by now; zero
// or less: all is in time. While a run goes on it has its timeout. Otherwise one
// should have begun when it was due, by both clocks: time in which the machine
// slept does not count, nor does a clock that was set forward.
func (j *job) late(now time.Time) time.Duration {
	switch {
	case j.running != nil && j.settings.Timeout > 0:
		return now.Sub(j.running.started) - j.settings.Timeout - grace
	case j.running != nil || j.next.IsZero():
		return 0
	}
	return min(now.Sub(j.due), now.Round(0).Sub(j.next)) - grace
}

// problem says what is late about j, or nothing.
func (j *job) problem(now time.Time) string {
	switch {
	case j.late(now) <= 0:
		return ""
	case j.running != nil:
		return fmt.Sprintf("job %s: the run that began at %s has not ended, %s after its timeout",
			j.settings.Name, stampOf(j.running.started).time().Format(time.RFC3339), (j.late(now) + grace).Round(time.Second))
	}
	return fmt.Sprintf("job %s: the run that was due at %s has not begun", j.settings.Name, j.next.UTC().Format(time.RFC3339))
}

// cure says what an operator can do about reason in a sink, and the command for
// it where there is one.
func (j *job) cure(reason syncer.Reason, sink string) (cure, command string) {
	program := cmp.Or(j.command, "credsync")
	switch reason {
	case syncer.Foreign:
		return reason.Cure(), fmt.Sprintf("%s adopt --sink %s --dry-run --all", program, sink)
	case syncer.Brake:
		for _, r := range j.runs {
			if r.Plan != "" {
				return "if this is right, let exactly these updates through:", fmt.Sprintf("%s sync --job %s --accept-plan %s", program, j.settings.Name, r.Plan)
			}
		}
	}
	return reason.Cure(), ""
}

// progress tells of the run that goes on; nil = none does.
func (j *job) progress() *Progress {
	r := j.running
	if r == nil {
		return nil
	}
	return &Progress{Trigger: r.trigger, Started: r.started.UTC().Round(time.Millisecond), Done: r.done, Total: r.total}
}

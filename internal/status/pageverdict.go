package status

import (
	"fmt"
	"time"

	"github.com/credsync/credsync/internal/syncer"
)

// The states that the page as a whole is in.
const (
	stateGood    = "good"
	stateShort   = "short"   // some is not as it should be
	stateDown    = "down"    // the daemon is not ready
	stateUnknown = "unknown" // nothing has been looked at yet
)

// State says in one word how things are.
func (v view) State() string {
	switch {
	case len(v.Problems) > 0:
		return stateDown
	case v.Short() > 0 || len(v.brokenJobs()) > 0 || len(v.deniedSources()) > 0:
		return stateShort
	case v.Secrets() == 0:
		return stateUnknown
	}
	return stateGood
}

// Headline says it in a few.
func (v view) Headline() string {
	broken, denied := v.brokenJobs(), v.deniedSources()
	switch {
	case len(v.Problems) > 0:
		return "The daemon is not ready"
	case len(denied) > 0:
		return "Amazon gives source " + denied[0].Name + " no token"
	case len(broken) == 1:
		return "Job " + broken[0].Name + " could not run"
	case len(broken) > 1:
		return fmt.Sprintf("%d jobs could not run", len(broken))
	case v.Short() > 0:
		return fmt.Sprintf("%s of %s %s", grouped(v.Short()), countOf(v.Secrets(), "secret", "secrets"),
			singular(v.Short(), "is not where it belongs", "are not where they belong"))
	case v.Secrets() == 0:
		return "Nothing is known yet"
	}
	return "Everything is where it belongs"
}

// Secrets is the number of cells that a run has come to.
func (v view) Secrets() (n int) {
	for _, count := range v.Skills.Outcomes {
		n += count
	}
	return n
}

// Short is the number of cells that are not as they should be.
func (v view) Short() int {
	o := v.Skills.Outcomes
	return o[syncer.Refused] + o[syncer.Failed] + o[syncer.Skipped]
}

// Right is the number of cells that are as they should be.
func (v view) Right() int { return v.Secrets() - v.Short() }

// brokenJobs are those whose last run could not be made.
func (v view) brokenJobs() (jobs []Job) {
	for _, j := range v.Jobs {
		if len(j.Runs) > 0 && j.Runs[0].Error != "" {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

func (v view) deniedSources() (sources []Source) {
	for _, s := range v.Sources {
		if s.Denied != "" {
			sources = append(sources, s)
		}
	}
	return sources
}

// LastLook is when the last run ended that could be made.
func (v view) LastLook() (last time.Time) {
	for _, j := range v.Jobs {
		if j.LastRun.After(last) {
			last = j.LastRun
		}
	}
	return last
}

// FirstDue is when the next run of any job is due.
func (v view) FirstDue() (first time.Time) {
	for _, j := range v.Jobs {
		if !j.Next.IsZero() && (first.IsZero() || j.Next.Before(first)) {
			first = j.Next
		}
	}
	return first
}

// Running are the jobs of which a run goes on.
func (v view) Running() (jobs []Job) {
	for _, j := range v.Jobs {
		if j.Running != nil {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// A share is a part of the bar that shows all cells by outcome.
type share struct {
	Outcome  syncer.Outcome
	N        int
	X, Width float64 // of a thousand
	Link     string
}

// leastShare is how wide the smallest part is: one failure in ten thousand shows.
const leastShare = 6

// Shares are the parts of the bar, without those that are empty.
func (v view) Shares() (shares []share) {
	all, parts := float64(v.Secrets()), 0
	for _, o := range syncer.Outcomes {
		if v.Skills.Outcomes[o] > 0 {
			parts++
		}
	}
	x := 0.0
	for _, o := range syncer.Outcomes {
		n := v.Skills.Outcomes[o]
		if n == 0 {
			continue
		}
		width := leastShare + float64(n)/all*float64(1000-leastShare*parts)
		shares = append(shares, share{
			Outcome: o, N: n, X: x, Width: width,
			Link: link(Filter{Outcome: []syncer.Outcome{o}, Limit: v.Filter.Limit}),
		})
		x += width
	}
	return shares
}

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/suggest"

	"github.com/credsync/credsync/internal/scheduler"
)

const (
	minTimeout = time.Second
	maxSpan    = 24 * time.Hour // the longest that a run may take or be put off
)

func (c *Config) checkJobs(r *report) {
	if len(c.Jobs) == 0 {
		r.fault(keys{"jobs"}, "no job", "add one that names a source, skills and sinks, as in configs/minimal.yaml")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Jobs)) {
		at, j := keys{"jobs", name}, c.Jobs[name]
		c.checkReferences(r, at, j)
		j.checkTimes(r, at)
		if j.MaxChanges > 100 {
			r.fault(at.child("max_changes"), j.MaxChanges.String()+" is not between 0% and 100%", "set it to the share of secrets that may change in one run, as 20%")
		}
		if j.MaxChanges == 100 {
			r.advise(at.child("max_changes"), "the brake is off", "set it lower, so that a mistake at Amazon can't reach all secrets at once")
		}
		j.Skills.check(r, at.child("skills"))
		if j.Hook != nil {
			r.faults(at.child("hook"), j.Hook.Faults())
		}
		c.Jobs[name] = j
	}
	c.checkNamesOfIDs(r)
}

func (c *Config) checkReferences(r *report, at keys, j Job) {
	sources, sinks := slices.Sorted(maps.Keys(c.Sources)), slices.Sorted(maps.Keys(c.Sinks))
	switch {
	case j.Source == "":
		r.fault(at.child("source"), "missing", "name one of the sources")
	case !slices.Contains(sources, j.Source):
		r.fault(at.child("source"), fmt.Sprintf("no source is named %s", quote(j.Source)), suggest.Hint(j.Source, sources, "sources"))
	}
	if len(j.Sinks) == 0 {
		r.fault(at.child("sinks"), "missing", "name at least one of the sinks, as [vault]")
	}
	for i, name := range j.Sinks {
		switch {
		case !slices.Contains(sinks, name):
			r.fault(at.child("sinks").element(i), fmt.Sprintf("no sink is named %s", quote(name)), suggest.Hint(name, sinks, "sinks"))
		case slices.Index(j.Sinks, name) < i:
			r.fault(at.child("sinks").element(i), fmt.Sprintf("%s is named twice", quote(name)), "remove it here")
		}
	}
}

func (j Job) checkTimes(r *report, at keys) {
	if j.Timeout < minTimeout || j.Timeout > maxSpan {
		r.fault(at.child("timeout"), fmt.Sprintf("%s is not between 1s and 24h", Brief(j.Timeout)), "set it to the longest that a run may take, as 30m")
	}
	if j.Jitter < 0 || j.Jitter > maxSpan {
		r.fault(at.child("jitter"), fmt.Sprintf("%s is not between 0s and 24h", Brief(j.Jitter)), "set it to the time to spread hosts over, as 10m")
	}
	zone, err := j.Location()
	if err != nil {
		r.fault(at.child("time_zone"), fmt.Sprintf("no time zone is named %s", quote(j.TimeZone)), "write it as Europe/Berlin or UTC, or remove it for the system's zone")
		zone = time.UTC
	}
	if j.Schedule == "" {
		r.advise(at, "no schedule: credsync run never starts this job", "set schedule, or start it with credsync sync")
		return
	}
	s, err := scheduler.Parse(j.Schedule, zone)
	if err != nil {
		r.err(at.child("schedule"), err)
		return
	}
	if p := period(s); p > 0 && j.Jitter >= p {
		r.fault(at.child("jitter"), fmt.Sprintf("%s is as long as the time between two runs, which is %s", Brief(j.Jitter), Brief(p)), "make it shorter than that")
	}
}

// Brief returns d as people write it: 6h, not 6h0m0s.
func Brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// period returns the least time between slots of s that follow soon, or 0 where
// there are not two.
func period(s scheduler.Schedule) time.Duration {
	least := time.Duration(0)
	for i, slot := 0, s.Next(time.Now()); i < 100 && !slot.IsZero(); i++ {
		next := s.Next(slot)
		if gap := next.Sub(slot); !next.IsZero() && (least == 0 || gap < least) {
			least = gap
		}
		slot = next
	}
	return least
}

package status

import (
	"cmp"
	"slices"
	"time"

	"github.com/credsync/credsync/internal/syncer"
)

// A todo is something that went wrong and what to do about it.
type todo struct {
	Key     string // the same for the same, from one report to the next
	Icon    string
	Title   string
	Code    syncer.Reason // for scripts and search
	Job     string
	Sink    string
	Skills  int       // how many are concerned; 0 = it is not about skills
	Since   time.Time // zero = not known
	Detail  string    // what was said, once
	Cure    string
	Command string
	Link    string // to the rows
}

// Todos are what went wrong: first what stops everything, then the rest by how
// many skills it concerns.
func (v view) Todos() (all []todo) {
	for _, p := range v.Problems {
		all = append(all, todo{Key: "problem " + p, Icon: "failed", Title: "Not ready", Detail: p})
	}
	for _, s := range v.deniedSources() {
		all = append(all, todo{
			Key: "source " + s.Name, Icon: "failed", Title: "No token for source " + s.Name, Code: syncer.Denied,
			Detail: s.Denied, Cure: syncer.Denied.Cure(),
		})
	}
	for _, j := range v.brokenJobs() {
		all = append(all, todo{
			Key: "job " + j.Name, Icon: "failed", Title: "The last run could not be made", Job: j.Name,
			Since: j.Runs[0].Started, Detail: j.Runs[0].Error, Cure: "correct what is named; the next run tries again",
		})
	}
	troubles := slices.Clone(v.Troubles)
	slices.SortStableFunc(troubles, func(a, b Trouble) int { return cmp.Compare(b.Skills, a.Skills) })
	for _, t := range troubles {
		all = append(all, v.trouble(t))
	}
	return all
}

func (v view) trouble(t Trouble) todo {
	d := todo{
		Key: "trouble " + t.Job + " " + t.Sink + " " + string(t.Outcome) + " " + string(t.Reason), Icon: string(t.Outcome),
		Title: titleOf(t.Reason), Code: t.Reason, Job: t.Job, Sink: t.Sink, Skills: t.Skills, Since: t.Since,
		Detail: t.Error, Cure: t.Cure, Command: t.Command,
		Link: link(Filter{Job: t.Job, Sink: t.Sink, Outcome: []syncer.Outcome{t.Outcome}, Limit: v.Filter.Limit}),
	}
	if t.Reason == syncer.Brake {
		if brake := v.brake(t.Job); brake != "" {
			d.Detail = brake
		}
	}
	return d
}

// brake says why the brake refused updates of a job, the last time it did.
func (v view) brake(job string) string {
	for _, j := range v.Jobs {
		for _, r := range j.Runs {
			if j.Name == job && r.Brake != "" {
				return r.Brake
			}
		}
	}
	return ""
}

package status

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/syncer"
)

// Report returns what the Board knows now; f chooses rows of the matrix.
func (b *Board) Report(f Filter) Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	r := Report{
		Instance: b.settings.Instance, Version: b.build.Version, Config: b.settings.Config,
		Now: now.UTC().Round(time.Millisecond), Started: b.started.UTC().Round(time.Millisecond), Loaded: b.loaded.UTC().Round(time.Millisecond),
		Problems: b.problems(now), Jobs: []Job{}, Sources: []Source{}, Troubles: []Trouble{},
		Skills: Page{Outcomes: make(map[syncer.Outcome]int), Offset: max(f.Offset, 0), Limit: f.limit(), Items: []Skill{}},
	}
	r.Ready = len(r.Problems) == 0
	for _, o := range syncer.Outcomes {
		r.Skills.Outcomes[o] = 0
	}
	for _, name := range slices.Sorted(maps.Keys(b.settings.Sources)) {
		r.Sources = append(r.Sources, sourceOf(name, b.settings.Sources[name], b.tracks[name]))
	}
	for _, j := range b.byName() {
		r.Jobs = append(r.Jobs, j.report(now))
		r.Troubles = append(r.Troubles, j.count(r.Skills.Outcomes)...)
		j.rows(&r.Skills, f)
	}
	return r
}

// Problems says why the daemon is not ready; nothing where it is: it has a
// configuration, every destination of the audit trail takes records, and no run
// is overdue.
func (b *Board) Problems() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.problems(time.Now())
}

func (b *Board) problems(now time.Time) (problems []string) {
	if b.loaded.IsZero() {
		problems = append(problems, "no configuration is loaded yet")
	}
	if b.settings.Trail != nil {
		if err := b.settings.Trail.Err(); err != nil {
			problems = append(problems, fmt.Sprintf("audit trail: %v", err))
		}
	}
	for _, j := range b.byName() {
		if p := j.problem(now); p != "" {
			problems = append(problems, p)
		}
	}
	return problems
}

// stuckAfter is how long a run is overdue before the process counts as stuck,
// which a restart may mend.
const stuckAfter = 10 * time.Minute

// Stuck says what shows that the process is stuck: runs that should have begun
// or ended long ago. Nothing that a peer does, or does not, is among it.
func (b *Board) Stuck() (stuck []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	for _, j := range b.byName() {
		if j.late(now) > stuckAfter {
			stuck = append(stuck, j.problem(now))
		}
	}
	return stuck
}

func sourceOf(name string, s LiveSource, t track) Source {
	r := Source{Name: name, Pace: s.Pace(), Throttled: s.Throttled(), Paces: append([]Sample{}, t.samples...)}
	if err := s.Denied(); err != nil {
		r.Denied = err.Error()
	}
	return r
}

func (j *job) report(now time.Time) Job {
	return Job{
		Name: j.settings.Name, Schedule: j.settings.Schedule, TimeZone: j.settings.TimeZone,
		Source: j.settings.Source, Sinks: j.settings.Sinks,
		Next: j.next.UTC(), LastRun: seconds(j.lastRun), LastSuccess: seconds(j.lastSuccess), Overdue: j.late(now) > 0,
		Running: j.progress(), Runs: append([]Run{}, j.runs...),
	}
}

func seconds(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Round(time.Millisecond)
}

// count adds the cells of j to outcomes, and returns what is wrong with those
// that are not as they should be.
func (j *job) count(outcomes map[syncer.Outcome]int) (troubles []Trouble) {
	for n, sink := range j.grid.sinks {
		tallies, _ := j.grid.tallies(n)
		slices.SortFunc(tallies, func(a, b tally) int {
			return cmp.Or(cmp.Compare(a.reason.word(), b.reason.word()), cmp.Compare(a.outcome, b.outcome))
		})
		for _, t := range tallies {
			outcomes[t.outcome.word()] += t.n
			if t.outcome.good() {
				continue
			}
			cure, command := j.cure(t.reason.word(), sink)
			troubles = append(troubles, Trouble{
				Job: j.settings.Name, Sink: sink, Outcome: t.outcome.word(), Reason: t.reason.word(),
				Skills: t.n, Since: t.since.time(), Error: t.example, Cure: cure, Command: command,
			})
		}
	}
	return troubles
}

// rows adds to p the rows of j that f lets through.
func (j *job) rows(p *Page, f Filter) {
	p.Total += len(j.grid.rows)
	if f.Job != "" && f.Job != j.settings.Name {
		return
	}
	text := strings.ToLower(f.Text)
	for _, i := range j.grid.order() {
		i := int(i)
		if !f.wants(j.grid.sinks, j.grid.of(i)) || text != "" && !j.grid.holds(i, text) {
			continue
		}
		if p.Matching >= p.Offset && len(p.Items) < p.Limit {
			p.Items = append(p.Items, j.grid.show(i, j))
		}
		p.Matching++
	}
}

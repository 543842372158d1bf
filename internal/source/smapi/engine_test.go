package smapi

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/memory"
	"github.com/credsync/credsync/internal/source"
	"github.com/credsync/credsync/internal/syncer"
)

// A rig is the engine between a Source and two sinks that hold good values. It
// proves no pairs: waiting for one another's proof is nothing that synctest knows.
type rig struct {
	*testing.T
	amazon *amazon
	engine *syncer.Engine
	job    syncer.Job
	sinks  []*memory.Sink
	skills []credential.SkillID

	mu      sync.Mutex
	records []audit.Record
	results []syncer.Result
}

func (r *rig) Append(_ context.Context, record audit.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, record)
	return nil
}

func (r *rig) Start(string, int)           {}
func (r *rig) Result(result syncer.Result) { r.results = append(r.results, result) }

// newRig returns one of so many skills, whose good pairs stand in both sinks.
func newRig(t *testing.T, skills int) *rig {
	t.Helper()
	r := &rig{T: t, amazon: &amazon{}, sinks: []*memory.Sink{{}, {}}}
	names, err := sink.ParseTemplate("{skill_id}")
	if err != nil {
		t.Fatal(err)
	}
	for i := range skills {
		r.skills = append(r.skills, credential.SkillID("amzn1.ask.skill."+strings.Repeat("a", i+1)))
	}
	r.amazon.api = func(_ int, q *http.Request) reply { // each skill has a pair of its own
		of := len(skillOf(q))
		return ok(pair(quoted(pairID), quoted(pairKey+strings.Repeat("a", of))))
	}
	r.engine = &syncer.Engine{Instance: "prod", Trail: r, Memory: &syncer.Memory{}, Log: zap.NewNop()}
	r.job = syncer.Job{Name: "job", Workers: 4, MaxChanges: 1, Skills: func(context.Context) (entries []source.Entry, err error) {
		for _, id := range r.skills {
			entries = append(entries, source.Entry{Skill: id})
		}
		return entries, nil
	}}
	for i, s := range r.sinks {
		r.job.Targets = append(r.job.Targets, syncer.Target{Name: string(rune('a' + i)), Sink: s, Form: s.Form(), Names: names, Fields: syncer.DefaultFields})
	}
	if s := r.sync(); s.Counts[syncer.Created] != 2*skills {
		t.Fatalf("the sinks are not filled: %v", s.Counts)
	}
	return r
}

func skillOf(q *http.Request) string { return strings.Split(q.URL.Path, "/")[3] }

// sync makes a run with a new Source, as a command does.
func (r *rig) sync() syncer.Summary {
	r.Helper()
	r.records, r.results = nil, nil
	r.job.Source = r.amazon.open(r.T)
	return r.engine.Sync(r.Context(), r.job, syncer.Options{}, r)
}

// wantUntouched wants the run that just ended to have failed for each skill in
// each sink, once and with a reason, and to have written nothing anywhere.
func (r *rig) wantUntouched(what string) {
	r.Helper()
	failed := make(map[string]int)
	for _, res := range r.results {
		failed[res.Sink+string(res.Skill)]++
		if res.Outcome != syncer.Failed || !slices.Contains([]syncer.Reason{syncer.NotFound, syncer.Denied, syncer.Invalid, syncer.Unavailable}, res.Reason) || res.Error == "" {
			r.Errorf("%s: result %+v", what, res)
		}
	}
	if len(failed) != 2*len(r.skills) || len(r.results) != len(failed) {
		r.Errorf("%s: %d results for %d names, want one for each of %d", what, len(r.results), len(failed), 2*len(r.skills))
	}
	for _, record := range r.records {
		if record.Event == audit.WriteIntent {
			r.Errorf("%s: the trail announces %+v", what, record)
		}
	}
	for _, s := range r.sinks {
		for _, id := range r.skills {
			body, versions, ok := s.Stored(string(id))
			if !ok || versions != 1 || !strings.Contains(body, quoted(pairKey+strings.Repeat("a", len(id)))) {
				r.Errorf("%s: %d versions, there: %t", what, versions, ok)
			}
		}
	}
}

func TestABadAnswerChangesNothingInAnySink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := badAnswers()
		names := slices.Sorted(maps.Keys(answers))
		r := newRig(t, len(names))
		r.amazon.api = func(_ int, q *http.Request) reply {
			return answers[names[len(skillOf(q))-len("amzn1.ask.skill.")-1]]
		}
		r.sync()
		r.wantUntouched("the corpus")
		t.Logf("%d bad answers, %d results", len(names), len(r.results))
	})
}

func TestABadTokenChangesNothingInAnySink(t *testing.T) {
	for name, p := range badTokens() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 2)
				r.amazon.lwa = func(int, url.Values) reply { return p }
				r.sync()
				r.wantUntouched(name)
			})
		})
	}
}

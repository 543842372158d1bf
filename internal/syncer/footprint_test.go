package syncer

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

// A crowd is a source of pairs of the usual size, which it makes as it goes.
type crowd struct{ salt string }

func (c *crowd) Fetch(_ context.Context, id credential.SkillID) (credential.Credential, error) {
	uuid := string(id[len(id)-36:])
	return credential.Credential{
		Skill: id, ClientID: "amzn1.application-oa2-client." + uuid[4:],
		ClientSecret: credential.NewSecret("amzn1.oa2-cs.v1." + c.salt + uuid),
	}, nil
}

// A books is a sink that keeps fingerprints alone, and weighs the process in the
// middle of the last call that it expects.
type books struct {
	mu      sync.Mutex
	sums    map[string]credential.Fingerprint
	expects int
	live    uint64
}

func (l *books) Inspect(_ context.Context, name string) (sink.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.expects--; l.expects == 0 {
		l.live = live()
	}
	return l.state(name), nil
}

func (l *books) state(name string) sink.State {
	sum, ok := l.sums[name]
	if !ok {
		return sink.State{}
	}
	return sink.State{
		Exists: true, Owner: sink.Owner{Instance: "prod", Skill: credential.SkillID(strings.TrimPrefix(name, "alexa/"))},
		Fingerprint: sum, Version: "12", Ref: strings.Clone("2026-01-02T03:04:05.123456789Z"),
	}
}

func (l *books) Put(_ context.Context, name string, r sink.Record, _ sink.State) (sink.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sums[name] = r.Fingerprint
	return l.state(name), nil
}

// A catalog is a books that can list, as AWS does: the fingerprint is the
// version. The last name is missing, because such a listing may lag, so that one
// is inspected.
type catalog struct{ *books }

func (c catalog) List(_ context.Context, _ string, found func(string, sink.State)) error {
	for name, sum := range c.sums {
		if name == "alexa/"+string(skill(0)) {
			continue
		}
		s := c.state(strings.Clone(name))
		s.Fingerprint = credential.Fingerprint(strings.Clone(string(sum)))
		s.Version = string(s.Fingerprint)
		found(name, s)
	}
	return nil
}

// quiet takes reports and records, and keeps none.
type quiet struct{}

func (quiet) Start(string, int)                          {}
func (quiet) Result(Result)                              {}
func (quiet) Append(context.Context, audit.Record) error { return nil }

// live is what the heap holds when nothing of it is garbage.
func live() uint64 {
	runtime.GC()
	runtime.GC() // sweeps what the first has found
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A hall is where a crowd is synced into books.
type hall struct {
	testing.TB
	amazon *crowd
	books  *books
	engine *Engine
	job    Job
}

func newHall(t testing.TB, skills int) *hall {
	t.Helper()
	template, err := sink.ParseTemplate("alexa/{skill_id}")
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	for n := range skills {
		fmt.Fprintln(&list, skill(n))
	}
	h := &hall{TB: t, amazon: &crowd{}, books: &books{sums: make(map[string]credential.Fingerprint)}}
	h.engine = &Engine{Instance: "prod", Trail: quiet{}, Memory: &Memory{}, Log: zap.NewNop()}
	h.job = Job{
		Name: "job", Source: h.amazon, Workers: 1, MaxChanges: 1,
		Skills: func(context.Context) ([]source.Entry, error) {
			return source.ParseList(strings.NewReader(list.String()), "skills.txt")
		},
		Targets: []Target{{Name: "one", Sink: h.books, Form: sink.Form{Kind: "memory", Encode: sink.JSON}, Names: template, Fields: DefaultFields}},
	}
	return h
}

// sync makes a pass with no memory of others, and returns what it held in the
// middle of the given call of Inspect.
func (h *hall) sync(call int, want Outcome) (held int64) {
	h.Helper()
	h.books.expects, h.engine.Memory = call, &Memory{}
	before := live()
	sum := h.engine.Sync(h.Context(), h.job, Options{}, quiet{})
	if sum.Counts[want] != sum.Skills {
		h.Fatalf("want all %s: %v, %v", want, sum.Counts, sum.Err)
	}
	return int64(h.books.live) - int64(before)
}

// The bounds are of what is in use. Garbage comes on top, as much again at most:
// see the budget that the command sets.
func TestWhatARunHoldsPerSkill(t *testing.T) {
	const skills = 5000
	h := newHall(t, skills)
	bounded := func(what string, held int64, bound float64) {
		t.Helper()
		each := float64(held) / skills
		t.Logf("%-9s %4.0f bytes per skill", what, each)
		if each > bound {
			t.Errorf("%s: %.0f bytes per skill are held, more than %.0f", what, each, bound)
		}
	}
	h.sync(-1, Created)
	bounded("unchanged", h.sync(skills, Unchanged), 170)
	h.job.Targets[0].Sink = catalog{h.books}
	bounded("listed", h.sync(1, Unchanged), 320)
	h.job.Targets[0].Sink = h.books
	h.amazon.salt = "rotated"
	bounded("held back", h.sync(skills, Updated), 660)
}

func TestAThousandRunsLeaveNothingBehind(t *testing.T) {
	h := newHall(t, 20)
	runs := func(n int) uint64 {
		for run := range n {
			h.amazon.salt = fmt.Sprintf("%02d", run%100)
			h.engine.Sync(t.Context(), h.job, Options{}, quiet{})
		}
		return live()
	}
	early := runs(100)
	// The brake remembers the updates of a day: a time each.
	const remembered, slack = 20 * 24 * 2, 64 << 10
	if late := runs(900); late > early+900*remembered+slack {
		t.Errorf("after 100 runs %d bytes are in use, after 1,000 it is %d", early, late)
	}
}

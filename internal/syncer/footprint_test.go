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

// A ledger is a sink that keeps fingerprints alone, and weighs the process in the
// middle of the last call that it expects.
type ledger struct {
	mu      sync.Mutex
	sums    map[string]credential.Fingerprint
	expects int
	live    uint64
}

func (l *ledger) Inspect(_ context.Context, name string) (sink.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.expects--; l.expects == 0 {
		l.live = live()
	}
	return l.state(name), nil
}

func (l *ledger) state(name string) sink.State {
	sum, ok := l.sums[name]
	if !ok {
		return sink.State{}
	}
	return sink.State{
		Exists: true, Owner: sink.Owner{Instance: "prod", Skill: credential.SkillID(strings.TrimPrefix(name, "alexa/"))},
		Fingerprint: sum, Version: "12", Ref: strings.Clone("2026-01-02T03:04:05.123456789Z"),
	}
}

func (l *ledger) Put(_ context.Context, name string, r sink.Record, _ sink.State) (sink.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sums[name] = r.Fingerprint
	return l.state(name), nil
}

// A catalog is a ledger that can list, as AWS does: the fingerprint is the
// version. The last name is missing, because such a listing may lag, so that one
// is inspected.
type catalog struct{ *ledger }

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

// The bounds leave room for as much garbage as there is use, which the runtime
// lets grow, below 300 bytes per skill, 600 with a listing, 400 more per update.
func TestWhatARunHoldsPerSkill(t *testing.T) {
	const skills = 10_000
	template, err := sink.ParseTemplate("alexa/{skill_id}")
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	for n := range skills {
		fmt.Fprintln(&list, skill(n))
	}
	amazon, books := &crowd{}, &ledger{sums: make(map[string]credential.Fingerprint)}
	target := Target{Name: "one", Sink: books, Form: sink.Form{Kind: "memory", Encode: sink.JSON}, Names: template, Fields: DefaultFields}
	job := Job{
		Name: "job", Source: amazon, Workers: 1, MaxChanges: 1,
		Skills: func(context.Context) ([]source.Entry, error) {
			return source.ParseList(strings.NewReader(list.String()), "skills.txt")
		},
	}
	run := func(what string, s sink.Sink, calls int, bound float64, want Outcome) {
		t.Helper()
		target.Sink, books.expects = s, calls
		job.Targets = []Target{target}
		engine := &Engine{Instance: "prod", Trail: quiet{}, Memory: &Memory{}, Log: zap.NewNop()}
		before := live()
		if sum := engine.Sync(t.Context(), job, Options{}, quiet{}); sum.Counts[want] != skills {
			t.Fatalf("%s: %v", what, sum.Counts)
		}
		if calls == 0 {
			return
		}
		held := float64(int64(books.live)-int64(before)) / skills
		t.Logf("%-10s %4.0f bytes per skill", what, held)
		if held > bound {
			t.Errorf("%s: %.0f bytes per skill are held, more than %.0f", what, held, bound)
		}
	}
	run("first fill", books, 0, 0, Created)
	run("unchanged", books, skills, 170, Unchanged)
	run("listed", catalog{books}, 1, 320, Unchanged)
	amazon.salt = "rotated"
	run("held back", books, skills, 650, Updated)
}

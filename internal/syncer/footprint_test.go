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

// A crowd is a source of so many pairs that none can be kept.
type crowd struct{ secret string }

func (c crowd) Fetch(_ context.Context, id credential.SkillID) (credential.Credential, error) {
	return credential.Credential{
		Skill: id, ClientID: "amzn1.application-oa2-client." + string(id[len(id)-32:]),
		ClientSecret: credential.NewSecret("amzn1.oa2-cs.v1." + c.secret + string(id)),
	}, nil
}

// A ledger is a sink that holds fingerprints alone, in an order of its own, and
// is asked for nothing else. It measures what the process holds when it was
// asked most.
type ledger struct {
	mu     sync.Mutex
	sums   map[string]credential.Fingerprint
	asked  int
	at     int // look at the heap when it was asked so often
	lister bool
	heap   uint64
}

func (l *ledger) count() {
	if l.asked++; l.asked == l.at {
		l.heap = live()
	}
}

func (l *ledger) Inspect(_ context.Context, name string) (sink.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count()
	return l.state(name), nil
}

func (l *ledger) state(name string) sink.State {
	sum, ok := l.sums[name]
	if !ok {
		return sink.State{}
	}
	return sink.State{
		Exists: true, Owner: sink.Owner{Instance: "prod", Skill: credential.SkillID(strings.TrimPrefix(name, "alexa/"))},
		Fingerprint: sum, Version: "12", Ref: strings.Repeat("2026-11-25T00:00:00.123456789Z"[:15], 2),
	}
}

func (l *ledger) Put(_ context.Context, name string, r sink.Record, _ sink.State) (sink.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sums[strings.Clone(name)] = r.Fingerprint
	return l.state(name), nil
}

// A listed is a ledger that can list.
type listed struct{ *ledger }

func (l listed) List(_ context.Context, _ string, found func(string, sink.State)) error {
	for name, sum := range l.sums {
		s := l.state(name)
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
	runtime.GC() // what the first has swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestWhatARunHoldsPerSkill(t *testing.T) {
	const skills = 20_000
	template, err := sink.ParseTemplate("alexa/{skill_id}")
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	for n := range skills {
		fmt.Fprintln(&list, skill(n))
	}
	l := &ledger{sums: make(map[string]credential.Fingerprint)}
	amazon := &crowd{}
	job := Job{
		Name: "job", Source: amazon, Workers: 4, MaxChanges: 1,
		Targets: []Target{{Name: "one", Sink: l, Form: sink.Form{Kind: "memory", Encode: sink.JSON}, Names: template, Fields: DefaultFields}},
		Skills: func(context.Context) ([]source.Entry, error) {
			return source.ParseList(strings.NewReader(list.String()), "skills.txt")
		},
	}
	engine := &Engine{Instance: "prod", Trail: quiet{}, Memory: &Memory{}, Log: zap.NewNop()}
	run := func(what string, at int, bound float64, want Outcome) {
		t.Helper()
		l.asked, l.at, l.heap = 0, at, 0
		before := live()
		s := engine.Sync(t.Context(), job, Options{}, quiet{})
		if s.Counts[want] != skills {
			t.Fatalf("%s: %v", what, s.Counts)
		}
		held := float64(int64(l.heap)-int64(before)) / skills
		t.Logf("%s: %.0f bytes per skill", what, held)
		if held > bound {
			t.Errorf("%s: %.0f bytes per skill are held, more than %.0f", what, held, bound)
		}
	}
	run("unchanged", skills, 1000, Created)
	run("unchanged", skills, 300, Unchanged)
	amazon.secret = "rotated"
	run("held", skills, 1000, Updated)
}

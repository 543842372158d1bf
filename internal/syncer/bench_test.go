package syncer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/memory"
	"github.com/credsync/credsync/internal/source"
)

// amazon is a source in memory.
type amazon struct {
	mu      sync.Mutex
	pairs   map[credential.SkillID]credential.Credential
	failing map[credential.SkillID]error
	before  func(context.Context, credential.SkillID) error // met before each answer
	rejects map[credential.SkillID]error                    // what Verify says
	fetched int
	proven  int
}

func (a *amazon) Fetch(ctx context.Context, id credential.SkillID) (credential.Credential, error) {
	if a.before != nil {
		if err := a.before(ctx, id); err != nil {
			return credential.Credential{}, err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fetched++
	if err := a.failing[id]; err != nil {
		return credential.Credential{}, err
	}
	pair, ok := a.pairs[id]
	if !ok {
		return credential.Credential{}, source.ErrNotFound
	}
	return pair, nil
}

func (a *amazon) Verify(_ context.Context, c credential.Credential) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.proven++
	return a.rejects[c.Skill]
}

// rotate gives a skill a new secret.
func (a *amazon) rotate(id credential.SkillID, secret string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pairs[id] = credential.Credential{Skill: id, ClientID: "client-" + string(id), ClientSecret: credential.NewSecret(secret)}
}

// trail keeps records in memory.
type trail struct {
	mu      sync.Mutex
	records []audit.Record
	fail    func(audit.Record) error
}

func (tr *trail) Append(ctx context.Context, r audit.Record) error {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if tr.fail != nil {
		if err := tr.fail(r); err != nil {
			return err
		}
	}
	tr.records = append(tr.records, r)
	return nil
}

func (tr *trail) events(e audit.Event) (found []audit.Record) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, r := range tr.records {
		if r.Event == e {
			found = append(found, r)
		}
	}
	return found
}

// results collects what a pass reports.
type results struct {
	announced int
	all       []Result
}

func (r *results) Start(_ string, n int) { r.announced = n }
func (r *results) Result(res Result)     { r.all = append(r.all, res) }

func (r *results) of(id credential.SkillID, sinkName string) Result {
	for _, res := range r.all {
		if res.Skill == id && res.Sink == sinkName {
			return res
		}
	}
	return Result{}
}

// A bench is a small world: n skills, one job, sinks in memory.
type bench struct {
	*testing.T
	amazon *amazon
	trail  *trail
	engine *Engine
	job    Job
	sinks  map[string]*memory.Sink
}

func skill(n int) credential.SkillID {
	return credential.SkillID(fmt.Sprintf("amzn1.ask.skill.00000000-0000-4000-8000-%012d", n))
}

func name(n int) string { return "alexa/" + string(skill(n)) }

func newBench(t *testing.T, skills int, sinks ...string) *bench {
	t.Helper()
	b := &bench{
		T:      t,
		amazon: &amazon{pairs: map[credential.SkillID]credential.Credential{}, failing: map[credential.SkillID]error{}, rejects: map[credential.SkillID]error{}},
		trail:  &trail{}, sinks: map[string]*memory.Sink{},
	}
	for n := range skills {
		b.amazon.rotate(skill(n), fmt.Sprintf("secret-%d", n))
	}
	b.engine = &Engine{Instance: "prod", Trail: b.trail, Memory: &Memory{}, Log: zap.NewNop()}
	b.job = Job{Name: "job", Source: b.amazon, Verify: b.amazon, Workers: 4, MaxChanges: 0.2, Skills: func(context.Context) ([]source.Entry, error) {
		return b.entries(), nil
	}}
	template, err := sink.ParseTemplate("alexa/{skill_id}")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sinks {
		b.sinks[s] = &memory.Sink{}
		b.job.Targets = append(b.job.Targets, Target{Name: s, Sink: b.sinks[s], Form: b.sinks[s].Form(), Names: template, Fields: DefaultFields})
	}
	return b
}

// entries lists all skills that Amazon knows.
func (b *bench) entries() (entries []source.Entry) {
	for _, id := range slices.Sorted(maps.Keys(b.amazon.pairs)) {
		entries = append(entries, source.Entry{Skill: id, Where: source.Place{List: "skills.txt"}})
	}
	return entries
}

func (b *bench) sync(opts Options) (Summary, *results) {
	b.Helper()
	var r results
	s := b.engine.Sync(b.Context(), b.job, opts, &r)
	if len(r.all) != r.announced {
		b.Errorf("%d results announced, %d came", r.announced, len(r.all))
	}
	return s, &r
}

// want fails unless the summary has exactly these counts, given as outcome,
// count, outcome, count, …
func (b *bench) want(s Summary, pairs ...any) {
	b.Helper()
	want := map[Outcome]int{}
	for i := 0; i < len(pairs); i += 2 {
		want[pairs[i].(Outcome)] = pairs[i+1].(int)
	}
	if !maps.Equal(s.Counts, want) {
		b.Errorf("outcomes: got %v, want %v", s.Counts, want)
	}
	if s.Err != nil {
		b.Errorf("the pass failed: %v", s.Err)
	}
}

// stands fails unless the sink holds exactly this secret for skill n.
func (b *bench) stands(sinkName string, n int, secret string) {
	b.Helper()
	body, _, ok := b.sinks[sinkName].Stored(name(n))
	want := fmt.Sprintf(`{"client_id":"client-%s","client_secret":%q}`, skill(n), secret)
	if !ok || body != want {
		b.Errorf("%s holds %q (%t), want %q", sinkName, body, ok, want)
	}
}

func (b *bench) versions(sinkName string) (sum int) {
	for n := range b.amazon.pairs {
		_, v, _ := b.sinks[sinkName].Stored("alexa/" + string(n))
		sum += v
	}
	return sum
}

var errDown = fmt.Errorf("hangs up: %w", sink.ErrUnavailable)

// other marks the calls of another daemon, which no hook meets.
type other struct{}

// during returns a Before or After hook that meets one method once.
func during(method string, do func() error) func(context.Context, string, string) error {
	var once sync.Once
	return func(ctx context.Context, m, _ string) (err error) {
		if m == method && ctx.Value(other{}) == nil {
			once.Do(func() { err = do() })
		}
		return err
	}
}

func within(t *testing.T, d time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > d {
		t.Errorf("took %v, more than %v", took, d)
	}
}

var errCut = errors.New("the answer was cut")

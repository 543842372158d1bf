package syncer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/memory"
	"github.com/credsync/credsync/internal/source"
)

// An arena is where two daemons and a foreign hand meet on the same sinks. Each
// call of the source or of a sink waits until the model lets it through, so that
// a seed gives one order of events.
type arena struct {
	*rapid.T
	amazon  *amazon
	sinks   map[string]*memory.Sink
	daemons []*daemon
	issued  map[string]bool                   // what Amazon's pairs look like in a sink
	written map[credential.Fingerprint]string // by daemons
	byHand  int                               // values so far
	steps   int
	commits map[audit.Action]int // of daemons

	mu      sync.Mutex
	waiting map[string]*call
	cut     map[string]bool // calls whose answer gets lost
}

// A daemon is one engine with a trail of its own, and the pass that it makes.
type daemon struct {
	name   string
	engine *Engine
	job    Job
	trail  *trail

	stop    context.CancelFunc // nil: there is no pass
	ended   chan struct{}
	results results
}

// A call is what a daemon asks of the source or of a sink.
type call struct {
	daemon *daemon
	at     place
	method string
	pass   chan struct{}
}

func (c call) String() string {
	return fmt.Sprintf("%s: %s %s %s", c.daemon.name, c.method, c.at.sink, c.at.name)
}

const contested = 2 // skills that the daemons have

func newArena(t *rapid.T, instances ...string) *arena {
	a := &arena{
		T: t, amazon: &amazon{pairs: map[credential.SkillID]credential.Credential{}},
		sinks: map[string]*memory.Sink{}, issued: map[string]bool{}, written: map[credential.Fingerprint]string{},
		waiting: map[string]*call{}, cut: map[string]bool{},
	}
	a.amazon.before = func(ctx context.Context, id credential.SkillID) error {
		return a.wait(ctx, "Fetch", place{name: string(id)})
	}
	for n := range contested {
		a.rotate(n, "a")
	}
	names, err := sink.ParseTemplate("alexa/{skill_id}")
	if err != nil {
		t.Fatal(err)
	}
	var targets []Target
	for _, s := range []string{"one", "two"} {
		a.sinks[s] = &memory.Sink{
			Before: func(ctx context.Context, method, name string) error { return a.wait(ctx, method, place{s, name}) },
			After:  func(ctx context.Context, method, name string) error { return a.answer(ctx, method, place{s, name}) },
		}
		targets = append(targets, Target{Name: s, Sink: a.sinks[s], Form: a.sinks[s].Form(), Names: names, Fields: DefaultFields})
	}
	for i, instance := range instances {
		d := &daemon{name: fmt.Sprintf("daemon %d of %s", i, instance), trail: &trail{}}
		d.engine = &Engine{Instance: instance, Trail: d.trail, Memory: &Memory{}, Log: zap.NewNop()}
		d.job = Job{Name: "job", Source: a.amazon, Workers: contested, MaxChanges: 1, Targets: targets, Skills: list}
		a.daemons = append(a.daemons, d)
	}
	return a
}

func list(context.Context) (entries []source.Entry, err error) {
	for n := range contested {
		entries = append(entries, source.Entry{Skill: skill(n)})
	}
	return entries, nil
}

// rotate lets Amazon issue a pair for the n-th skill that label tells apart.
func (a *arena) rotate(n int, label string) {
	id, secret := fmt.Sprintf("id-%d-%s", n, label), fmt.Sprintf("secret-%d-%s", n, label)
	a.amazon.mu.Lock()
	defer a.amazon.mu.Unlock()
	a.amazon.pairs[skill(n)] = credential.Credential{Skill: skill(n), ClientID: id, ClientSecret: credential.NewSecret(secret)}
	a.issued[a.says(skill(n))] = true
}

// says returns what a sink has to hold for a skill now.
func (a *arena) says(id credential.SkillID) string {
	pair := a.amazon.pairs[id]
	return fmt.Sprintf(`{"client_id":%q,"client_secret":%q}`, pair.ClientID, pair.ClientSecret.Reveal())
}

type callerKey struct{}

// wait holds a call until the model lets it through. What the model itself asks
// passes.
func (a *arena) wait(ctx context.Context, method string, at place) error {
	d, ok := ctx.Value(callerKey{}).(*daemon)
	if !ok {
		return nil
	}
	c := &call{daemon: d, at: at, method: method, pass: make(chan struct{})}
	a.mu.Lock()
	a.waiting[c.String()] = c
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.waiting, c.String())
	}()
	select {
	case <-c.pass:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answer says whether the answer to a call that was done gets back.
func (a *arena) answer(ctx context.Context, method string, at place) error {
	d, ok := ctx.Value(callerKey{}).(*daemon)
	if !ok {
		return nil
	}
	label := call{daemon: d, at: at, method: method}.String()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cut[label] {
		delete(a.cut, label)
		return errDown
	}
	return nil
}

// calls returns the labels of the calls that wait, in order.
func (a *arena) calls() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.waiting))
}

// begin starts a pass of d.
func (a *arena) begin(d *daemon) {
	ctx, cancel := context.WithCancel(context.WithValue(a.Context(), callerKey{}, d))
	d.stop, d.ended, d.results = cancel, make(chan struct{}), results{}
	d.trail.records = nil
	go func() {
		defer close(d.ended)
		d.engine.Sync(ctx, d.job, Options{}, &d.results)
	}()
	a.settle()
}

// settle waits until nothing moves any more, and closes the books of passes that
// are over.
func (a *arena) settle() {
	synctest.Wait()
	for _, d := range a.daemons {
		if d.stop == nil {
			continue
		}
		select {
		case <-d.ended:
			d.stop()
			d.stop = nil
			a.close(d)
		default:
		}
	}
}

// abandon ends what a failed check left behind.
func (a *arena) abandon() {
	for _, d := range a.daemons {
		if d.stop != nil {
			d.stop()
		}
	}
	time.Sleep(2 * writeGrace)
}

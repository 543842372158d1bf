package syncer

import (
	"maps"
	"strings"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// A standing is what is at a place.
type standing struct {
	sink.State
	body string
}

func (a *arena) look() map[place]standing {
	all := make(map[place]standing)
	for s, held := range a.sinks {
		for n := range contested {
			body, _, _ := held.Stored(name(n))
			state, err := held.Inspect(a.Context(), name(n))
			if err != nil {
				a.Fatal(err)
			}
			all[place{s, name(n)}] = standing{state, body}
		}
	}
	return all
}

// sound wants each fingerprint to be that of the value beside it.
func (a *arena) sound() {
	for at, s := range a.look() {
		if s.Fingerprint != "" && a.written[s.Fingerprint] != s.body {
			a.Errorf("%v passes for %s and holds %s", at, a.written[s.Fingerprint], s.body)
		}
	}
}

// through lets one call through and judges what it did.
func (a *arena) through(label string) {
	a.step()
	a.mu.Lock()
	c := a.waiting[label]
	a.mu.Unlock()
	before := a.look()
	close(c.pass)
	a.settle()
	for at, now := range a.look() {
		if was := before[at]; now != was {
			a.judge(c, at, was, now)
		}
	}
}

// judge says whether c may turn was into now.
func (a *arena) judge(c *call, at place, was, now standing) {
	if c.method != "Put" || at != c.at {
		a.Fatalf("%s: changed %v from %+v to %+v", c, at, was, now)
	}
	owner := sink.Owner{Instance: c.daemon.engine.Instance, Skill: credential.SkillID(strings.TrimPrefix(at.name, "alexa/"))}
	action := audit.Update
	switch {
	case !was.Exists:
		action = audit.Create
	case was.Deleted || was.Fingerprint == "":
		action = audit.Repair
	}
	a.commits[action]++
	a.written[now.Fingerprint] = now.body
	intent := c.daemon.lastIntent(at)
	switch {
	case was.Owner != owner && (was.Exists || !was.Owner.IsZero()):
		a.Errorf("%s: overwrote what is not ours: %+v", c, was)
	case now.Owner != owner || now.Deleted || now.Fingerprint == "":
		a.Errorf("%s: left %+v", c, now)
	case was.Fingerprint == now.Fingerprint:
		a.Errorf("%s: a version for nothing", c)
	case !a.issued[now.body]:
		a.Errorf("%s: wrote %s, which Amazon never said", c, now.body)
	case intent.Action != action || intent.PrevVersion != was.Version || intent.Fingerprint != string(now.Fingerprint):
		a.Errorf("%s: %+v vanished under the intent %+v", c, was, intent)
	}
}

// lastIntent returns the last write that d announced at a place.
func (d *daemon) lastIntent(at place) (last audit.Record) {
	for _, r := range d.trail.events(audit.WriteIntent) {
		if r.Sink == at.sink && r.Name == at.name {
			last = r
		}
	}
	return last
}

// quiet lets all passes come to their end.
func (a *arena) quiet() {
	for waiting := a.calls(); len(waiting) > 0; waiting = a.calls() {
		a.through(waiting[0])
	}
	a.sound()
	for _, d := range a.daemons {
		if d.stop != nil {
			a.Errorf("%s: its pass does not end", d.name)
		}
	}
}

// clean makes a run for each instance, as a command of its own would, and wants
// each sink to hold what Amazon says, or what is not ours as it was. A second
// run has nothing to do.
func (a *arena) clean() {
	for _, d := range a.daemons {
		before := a.look()
		a.run(d)
		after := a.look()
		for _, r := range d.results.all {
			was, now := before[place{r.Sink, r.Name}], after[place{r.Sink, r.Name}]
			foreign := was.Owner != sink.Owner{Instance: d.engine.Instance, Skill: r.Skill} && (was.Exists || !was.Owner.IsZero())
			switch {
			case foreign && (r.Outcome != Refused || now != was):
				a.Errorf("%s: %+v became %+v: %+v", d.name, was, now, r)
			case !foreign && (r.Reason != NoReason || now.body != a.says(r.Skill) || now.Deleted):
				a.Errorf("%s: %+v is left %+v: %+v", d.name, was, now, r)
			}
		}
		a.run(d)
		if again := a.look(); !maps.Equal(after, again) {
			a.Errorf("%s: the second run turned %+v into %+v", d.name, after, again)
		}
		for _, r := range d.results.all {
			if r.Outcome != Unchanged && r.Outcome != Refused {
				a.Errorf("%s: the second run: %+v", d.name, r)
			}
		}
	}
}

// learn takes what stands there for what daemons wrote.
func (a *arena) learn() {
	for _, s := range a.look() {
		a.written[s.Fingerprint] = s.body
	}
}

// run makes a pass of d, without its memory, that nothing comes between.
func (a *arena) run(d *daemon) {
	e := &Engine{Instance: d.engine.Instance, Trail: d.trail, Memory: &Memory{}, Log: zap.NewNop()}
	d.results = results{}
	if s := e.Sync(a.Context(), d.job, Options{}, &d.results); s.Err != nil {
		a.Error(s.Err)
	}
}

// close wants each name to have one result, and each intent its outcome.
func (a *arena) close(d *daemon) {
	if len(d.results.all) != d.results.announced || d.results.announced != contested*len(a.sinks) {
		a.Errorf("%s: %d results announced, %d came", d.name, d.results.announced, len(d.results.all))
	}
	open := map[place]int{}
	for _, r := range d.trail.records {
		at := place{r.Sink, r.Name}
		switch r.Event {
		case audit.WriteIntent:
			if open[at]++; open[at] > 1 {
				a.Errorf("%s: an intent follows another at %v", d.name, at)
			}
		case audit.WriteOutcome:
			open[at] = 0
		}
	}
	for at, n := range open {
		if n > 0 {
			a.Errorf("%s: the intent at %v has no outcome", d.name, at)
		}
	}
	for _, r := range d.results.all {
		if bad := r.Outcome == Refused || r.Outcome == Failed || r.Outcome == Skipped; bad != (r.Reason != NoReason) {
			a.Errorf("%s: result %+v", d.name, r)
		}
	}
}

package awssm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/sinktest"
)

// A rig is a sink on a fault server.
type rig struct {
	*testing.T
	sink   *Sink
	fake   *fake
	gate   *gate
	config Config
	edits  int
}

const skillID = "amzn1.ask.skill.00000000-0000-4000-8000-000000000001"

// name is where the secret of skillID stands.
const name = "alexa/" + skillID

func newRig(t *testing.T) *rig { return newRigWith(t, func(*Config) {}) }

func newRigWith(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	plainEnvironment(t)
	f := newFake()
	g := &gate{backend: f}
	c := testConfig(g.open(t))
	change(&c)
	return &rig{T: t, sink: openTest(t, c), fake: f, gate: g, config: c}
}

func recordOf(t *testing.T, value string) sink.Record {
	t.Helper()
	return recordAt(t, name, skillID, value)
}

func recordAt(t *testing.T, name string, skill credential.SkillID, value string) sink.Record {
	t.Helper()
	fields := []sink.Field{{Name: "client_secret", Value: credential.NewSecret(value)}}
	r, err := testConfig("").Form().Record(credential.FingerprintKey{}, sink.Owner{Instance: "prod", Skill: skill}, name, fields)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) inspect() sink.State {
	r.Helper()
	s, err := r.sink.Inspect(r.Context(), name)
	if err != nil {
		r.Fatal(err)
	}
	return s
}

func (r *rig) put(value string) sink.State {
	r.Helper()
	s, err := r.sink.Put(r.Context(), name, recordOf(r.T, value), r.inspect())
	if err != nil {
		r.Fatal(err)
	}
	return s
}

// wantCalls wants the operations since the last call to be these.
func (r *rig) wantCalls(want ...string) {
	r.Helper()
	if diff := cmp.Diff(want, r.fake.took()); diff != "" {
		r.Errorf("calls (-want +got):\n%s", diff)
	}
}

// wantValue wants AWS to hold value at name.
func (r *rig) wantValue(value string) {
	r.Helper()
	if got, want := r.fake.stored(r.T, name).Body, recordOf(r.T, value).Body.Reveal(); got != want {
		r.Errorf("AWS holds %s, want %s", got, want)
	}
}

// tamper puts a version as the AWS console does.
func (r *rig) tamper(t *testing.T, name string) {
	t.Helper()
	r.edits++
	v := &fakeVersion{id: fmt.Sprintf("8a3b0000-0000-4000-8000-%012d", r.edits), body: fmt.Sprint("by hand ", r.edits)}
	r.fake.edit(t, name, func(s *fakeSecret) {
		s.versions = append(s.versions, v)
		s.label(stageCurrent, v)
	})
}

func (r *rig) foreign(_ *testing.T, name, owner string) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	s := r.fake.add(name, foreignTags(name, owner))
	s.versions = []*fakeVersion{{id: "theirs", body: "theirs", stages: []string{stageCurrent}, stood: true}}
}

func (r *rig) claim(_ *testing.T, name string, o sink.Owner) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.fake.add(name, map[string]string{tagOwner: o.Instance, tagSkill: string(o.Skill)})
}

func (r *rig) softDelete(t *testing.T, name string) {
	t.Helper()
	r.fake.edit(t, name, func(s *fakeSecret) { s.deleted = time.Now() })
}

// fill puts n secrets of instance prod into the fake, as if long ago.
func (r *rig) fill(n int) {
	r.Helper()
	for i := range n {
		skill := credential.SkillID(fmt.Sprintf("amzn1.ask.skill.00000000-0000-4000-8000-%012d", i+1))
		if _, err := r.sink.Put(r.Context(), "alexa/"+string(skill), recordAt(r.T, "alexa/"+string(skill), skill, "a"), sink.State{}); err != nil {
			r.Fatal(err)
		}
	}
	r.sink.recent.forget()
	r.fake.took()
}

// stored counts the versions that were current once: a write that loses leaves
// one behind that never was.
func (f *fake) stored(_ *testing.T, name string) sinktest.Stored {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.secrets[name]
	if s == nil {
		return sinktest.Stored{}
	}
	var st sinktest.Stored
	for _, v := range s.versions {
		if v.stood {
			st.Versions++
		}
	}
	if v := s.holder(stageCurrent); v != nil && s.deleted.IsZero() {
		st.Body, st.Exists = v.body, true
	}
	return st
}

func (r *rig) arn() string { return r.fake.secrets[name].arn }

// discard is where an answer goes that nobody gets.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

// listed gathers what a listing finds.
func listed(ctx context.Context, s sink.Lister, instance string) (map[string]sink.State, error) {
	states := make(map[string]sink.State)
	err := s.List(ctx, instance, func(name string, s sink.State) { states[name] = s })
	return states, err
}

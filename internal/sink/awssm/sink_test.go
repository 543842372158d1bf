package awssm

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/sinktest"
)

// TestSink runs the conformance suite against the fault server.
func TestSink(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		plainEnvironment(t)
		h, _ := onFake(t)
		return h
	})
}

// A settled is a Sink whose writes are all older than the lag of listings: the
// suite lists what it has just written.
type settled struct{ *Sink }

func (s settled) List(ctx context.Context, instance string) (map[string]sink.State, error) {
	s.recent.forget()
	return s.Sink.List(ctx, instance)
}

func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written = nil
}

// onFake returns a harness on a fault server, and that server.
func onFake(t *testing.T) (sinktest.Harness, *fake) {
	t.Helper()
	f := newFake()
	g := &gate{backend: f}
	c := testConfig(g.open(t))
	edits := 0
	return sinktest.Harness{
		Sink: settled{openTest(t, c)}, Form: c.Form(), MaxBody: maxBody,
		Fail: g.fail, Requests: g.count, Stored: f.stored,
		Tamper: func(t *testing.T, name string) {
			edits++
			f.edit(t, name, func(s *fakeSecret) {
				v := &fakeVersion{id: fmt.Sprintf("8a3b0000-0000-4000-8000-%012d", edits), body: fmt.Sprint("by hand ", edits)}
				s.versions = append(s.versions, v)
				s.label(stageCurrent, v)
			})
		},
		Foreign: func(t *testing.T, name, owner string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			s := f.add(name, foreignTags(name, owner))
			s.versions = []*fakeVersion{{id: "theirs", body: "theirs", stages: []string{stageCurrent}, stood: true}}
		},
		Claim: func(t *testing.T, name string, o sink.Owner) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.add(name, map[string]string{tagOwner: o.Instance, tagSkill: string(o.Skill)})
		},
		SoftDelete: func(t *testing.T, name string) {
			f.edit(t, name, func(s *fakeSecret) { s.deleted = time.Now() })
		},
	}, f
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

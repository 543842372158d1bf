package awssm

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credsync/credsync/internal/sink/sinktest"
)

func TestDuel(t *testing.T) {
	r := newRig(t)
	d := sinktest.Duel{Form: r.config.Form(), Peek: r.sink, Stored: r.fake.stored, Hands: r.hands, BlindToMarks: true}
	for i := range d.Sinks {
		g := &gate{backend: r.fake}
		d.Sinks[i], d.Meet[i] = openTest(t, testConfig(g.open(t))), g.meets
	}
	sinktest.RunDuel(t, d)
}

// meets makes each request call meet.
func (g *gate) meets(meet func() bool) {
	g.instead = func(w http.ResponseWriter, r *http.Request) bool {
		if meet() {
			return false
		}
		g.backend.ServeHTTP(discard{w.Header()}, r)
		panic(http.ErrAbortHandler)
	}
}

// hands are what the owner of the account does at name.
func (r *rig) hands(_ *testing.T, name string) map[string]func(body string) {
	f := r.fake
	put := func(s *fakeSecret, body string) {
		r.edits++
		v := &fakeVersion{id: fmt.Sprintf("8a3b0000-0000-4000-8000-%012d", r.edits), body: body}
		s.versions = append(s.versions, v)
		s.label(stageCurrent, v)
	}
	// with does something to what is there, and without where nothing is.
	with := func(do func(s *fakeSecret, body string)) func(string) {
		return func(body string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			if s := f.secrets[name]; s != nil {
				do(s, body)
			}
		}
	}
	remake := func(tags map[string]string, body string) {
		delete(f.secrets, name)
		put(f.add(name, tags), body)
	}
	return map[string]func(body string){
		"alters":                    with(put),
		"writes our value":          with(func(s *fakeSecret, _ string) { put(s, `{"client_secret":"a"}`) }),
		"deletes":                   with(func(s *fakeSecret, _ string) { s.deleted = time.Now() }),
		"restores":                  with(func(s *fakeSecret, _ string) { s.deleted = time.Time{} }),
		"removes":                   with(func(*fakeSecret, string) { delete(f.secrets, name) }),
		"remakes it under our tags": with(func(s *fakeSecret, body string) { remake(maps.Clone(s.tags), body) }),
		"makes one of its own": func(body string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			remake(map[string]string{}, body)
		},
		"wipes the tags": with(func(s *fakeSecret, _ string) { clear(s.tags) }),
		"adopts":         with(func(s *fakeSecret, _ string) { s.tags = foreignTags(name, "another") }),
		"gives back": with(func(s *fakeSecret, _ string) {
			s.tags = map[string]string{tagOwner: "prod", tagSkill: strings.TrimPrefix(name, "alexa/")}
		}),
		"rolls back": with(func(s *fakeSecret, _ string) {
			if v := s.holder("AWSPREVIOUS"); v != nil {
				s.label(stageCurrent, v)
			}
		}),
		"prunes": with(func(s *fakeSecret, _ string) {
			s.versions = slices.DeleteFunc(s.versions, func(v *fakeVersion) bool { return len(v.stages) == 0 })
		}),
	}
}

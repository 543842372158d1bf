package awssm

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/sink"
)

func TestList(t *testing.T) {
	list := func(r *rig, instance string) map[string]sink.State {
		r.Helper()
		states, err := listed(r.Context(), r.sink, instance)
		if err != nil {
			r.Fatal(err)
		}
		return states
	}
	t.Run("250 secrets come in three pages, each as Inspect shows it", func(t *testing.T) {
		r := newRig(t)
		r.fill(250)
		states := list(r, "prod")
		r.wantCalls("ListSecrets", "ListSecrets", "ListSecrets")
		if len(states) != 250 {
			t.Errorf("got %d states, want 250", len(states))
		}
		if diff := cmp.Diff(r.inspect(), states[name]); diff != "" {
			t.Errorf("(-Inspect +List):\n%s", diff)
		}
	})
	t.Run("short and empty pages don't end a list", func(t *testing.T) {
		r := newRig(t)
		r.fill(20)
		r.fake.maxPage = 7
		empty := 2
		r.gate.instead = func(w http.ResponseWriter, _ *http.Request) bool {
			empty--
			if empty == 0 { // the second page: empty, and goes on where the first ended
				_, _ = fmt.Fprint(w, `{"SecretList":[],"NextToken":"from-07"}`)
				return true
			}
			return false
		}
		if got := len(list(r, "prod")); got != 20 {
			t.Errorf("got %d states, want 20", got)
		}
		if got := r.gate.count() - 20; got != 4 {
			t.Errorf("got %d pages, want 4", got)
		}
	})
	t.Run("filters are beginnings and unpaired, ownership is exact", func(t *testing.T) {
		r := newRig(t)
		r.fill(1)
		r.foreign(t, "alexa/other-instance", "prod2")
		r.foreign(t, "alexa/half-a-mark", "prod")
		delete(r.fake.secrets["alexa/half-a-mark"].tags, tagSkill)
		r.foreign(t, "alexa/crossed", "")
		r.fake.secrets["alexa/crossed"].tags = map[string]string{tagOwner: "x", "team": "prod", tagSkill: "s"}
		r.foreign(t, "alexa/longer-key", "")
		r.fake.secrets["alexa/longer-key"].tags = map[string]string{"credsync:owners": "prod", tagSkill: "s"}
		if _, ok := list(r, "prod")[name]; !ok || len(list(r, "prod")) != 1 {
			t.Errorf("got %v, want %s alone", list(r, "prod"), name)
		}
	})
	t.Run("what is scheduled for deletion is listed", func(t *testing.T) {
		r := newRig(t)
		r.fill(1)
		r.softDelete(t, name)
		if s := list(r, "prod")[name]; !s.Deleted || !s.Exists || s.Fingerprint != "" {
			t.Errorf("got %+v, want it deleted", s)
		}
	})
	t.Run("a page that comes twice is an outage, not a list without end", func(t *testing.T) {
		r := newRig(t)
		r.gate.instead = func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = fmt.Fprint(w, `{"SecretList":[],"NextToken":"again"}`)
			return true
		}
		_, err := listed(t.Context(), r.sink, "prod")
		wantError(t, err, sink.ErrUnavailable)
	})
	t.Run("nor are pages that go in circles", func(t *testing.T) {
		r := newRig(t)
		pages := 0
		r.gate.instead = func(w http.ResponseWriter, _ *http.Request) bool {
			pages++
			_, _ = fmt.Fprintf(w, `{"SecretList":[],"NextToken":"%d"}`, pages%2)
			return true
		}
		_, err := listed(t.Context(), r.sink, "prod")
		wantError(t, err, sink.ErrUnavailable)
		if pages != 3 {
			t.Errorf("%d pages were asked for", pages)
		}
	})
	t.Run("what was just written is left out, so that it is inspected", func(t *testing.T) {
		r := newRig(t)
		r.fill(2)
		r.put("b")
		states := list(r, "prod")
		if _, listed := states[name]; listed || len(states) != 1 {
			t.Errorf("got %v, want all but %s", states, name)
		}
	})
	t.Run("so is what a failed write may have written", func(t *testing.T) {
		r := newRig(t)
		r.fill(1)
		prev := r.inspect()
		r.gate.instead = func(w http.ResponseWriter, q *http.Request) bool {
			if operationOf(q) == "PutSecretValue" {
				answerError(w, http.StatusServiceUnavailable, "ServiceUnavailable", "")
				return true
			}
			return false
		}
		_, err := r.sink.Put(t.Context(), name, recordOf(t, "b"), prev)
		wantError(t, err, sink.ErrUnavailable)
		if states := list(r, "prod"); len(states) != 0 {
			t.Errorf("got %v, want none", states)
		}
	})
}

func TestRecentEndsAfterTheLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recent
		r.add("early")
		time.Sleep(6 * time.Minute)
		r.add("late")
		time.Sleep(lag - 6*time.Minute)
		if r.has("early") || !r.has("late") {
			t.Errorf("got %v, want late alone", r.written)
		}
		if r.prune(); len(r.written) != 1 {
			t.Errorf("kept %v", r.written)
		}
	})
}

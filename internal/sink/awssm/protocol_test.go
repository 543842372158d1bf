package awssm

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/sink"
)

func TestCalls(t *testing.T) {
	t.Run("a create is one call after the look", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		r.wantCalls("DescribeSecret", "CreateSecret")
	})
	t.Run("an update is two", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		r.fake.took()
		r.put("b")
		r.wantCalls("DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage")
	})
	t.Run("going back to an old value is two, and no version", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		r.put("b")
		r.fake.took()
		r.put("a")
		r.wantCalls("DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage")
		r.wantValue("a")
		if got := r.fake.stored(t, name).Versions; got != 2 {
			t.Errorf("got %d versions, want 2", got)
		}
	})
	t.Run("a value altered by hand is repaired in two", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		r.tamper(t, name)
		r.fake.took()
		r.put("a")
		r.wantCalls("DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage")
	})
	t.Run("a restore costs one more", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		r.softDelete(t, name)
		r.fake.took()
		r.put("b")
		r.wantCalls("DescribeSecret", "RestoreSecret", "PutSecretValue", "UpdateSecretVersionStage")
	})
	t.Run("a restore of what is current makes no version", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		r.softDelete(t, name)
		r.fake.took()
		r.put("a")
		r.wantCalls("DescribeSecret", "RestoreSecret", "PutSecretValue")
		r.wantValue("a")
		if got := r.fake.stored(t, name).Versions; got != 1 {
			t.Errorf("got %d versions, want 1", got)
		}
	})
	t.Run("a claimed and empty secret is filled by one, and one for the tag it lacks", func(t *testing.T) {
		r := newRig(t)
		r.claim(t, name, sink.Owner{Instance: "prod", Skill: skillID})
		r.put("a")
		r.wantCalls("DescribeSecret", "TagResource", "PutSecretValue")
		r.wantValue("a")
	})
	t.Run("another key of fingerprints is noted by one more", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		r.fake.took()
		record := recordOf(t, "b")
		record.Key = "v1-0123abcd"
		s, err := r.sink.Put(t.Context(), name, record, r.inspect())
		if err != nil {
			t.Fatal(err)
		}
		r.wantCalls("DescribeSecret", "TagResource", "PutSecretValue", "UpdateSecretVersionStage")
		if diff := cmp.Diff(r.inspect(), s); diff != "" {
			t.Errorf("(-Inspect +Put):\n%s", diff)
		}
	})
	t.Run("a hundred unchanged secrets are one", func(t *testing.T) {
		r := newRig(t)
		r.fill(100)
		states, err := listed(t.Context(), r.sink, "prod")
		if err != nil || len(states) != 100 {
			t.Fatalf("got %d states and %v, want 100", len(states), err)
		}
		r.wantCalls("ListSecrets")
	})
}

// What happens between two of our calls is not undone by the second.
func TestBetweenCalls(t *testing.T) {
	// during runs change once, right before AWS sees the operation.
	during := func(r *rig, operation string, change func()) {
		done := false
		r.fake.before = func(o string) {
			if o == operation && !done {
				done = true
				change()
			}
		}
	}
	t.Run("another's version became current: conflict, theirs stands", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		prev := r.inspect()
		during(r, "UpdateSecretVersionStage", func() { r.tamper(t, name) })
		_, err := r.sink.Put(t.Context(), name, recordOf(t, "b"), prev)
		wantError(t, err, sink.ErrConflict)
		if got, want := r.fake.stored(t, name).Body, "by hand 1"; got != want {
			t.Errorf("AWS holds %s, want %s", got, want)
		}
	})
	t.Run("the secret was deleted and made again: conflict, the new one stands", func(t *testing.T) {
		r := newRig(t)
		for _, operation := range []string{"PutSecretValue", "UpdateSecretVersionStage"} {
			delete(r.fake.secrets, name)
			r.put("a")
			prev := r.inspect()
			during(r, operation, func() {
				delete(r.fake.secrets, name)
				r.foreign(t, name, "")
			})
			_, err := r.sink.Put(t.Context(), name, recordOf(t, "b"), prev)
			wantError(t, err, sink.ErrConflict)
			if got := r.fake.stored(t, name).Body; got != "theirs" {
				t.Errorf("AWS holds %s, want theirs", got)
			}
		}
	})
	t.Run("it was scheduled for deletion: conflict", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		prev := r.inspect()
		during(r, "PutSecretValue", func() { r.softDelete(t, name) })
		_, err := r.sink.Put(t.Context(), name, recordOf(t, "b"), prev)
		wantError(t, err, sink.ErrConflict)
	})
	t.Run("AWS removed the old version we went back to: it is put once more", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		r.put("b")
		r.put("c") // a bears no label now
		r.fake.took()
		during(r, "UpdateSecretVersionStage", func() {
			r.fake.edit(t, name, func(s *fakeSecret) { s.versions = s.versions[1:] })
		})
		r.put("a")
		r.wantValue("a")
		r.wantCalls("DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage", "DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage")
	})
	t.Run("the answer to the move was lost: it counts", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		var lost atomic.Bool
		r.gate.instead = func(w http.ResponseWriter, q *http.Request) bool {
			if operationOf(q) != "UpdateSecretVersionStage" || lost.Swap(true) {
				return false
			}
			r.fake.ServeHTTP(discard{w.Header()}, q)
			panic(http.ErrAbortHandler)
		}
		r.put("b")
		r.wantValue("b")
		if got := r.fake.stored(t, name).Versions; got != 2 {
			t.Errorf("got %d versions, want 2", got)
		}
	})
	t.Run("we stopped between put and move: the next run makes no version", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		if _, err := r.sink.stage(t.Context(), r.arn(), recordOf(t, "b")); err != nil {
			t.Fatal(err)
		}
		r.wantValue("a")
		r.put("b")
		r.wantValue("b")
		if got := len(r.fake.secrets[name].versions); got != 2 {
			t.Errorf("got %d versions, want 2", got)
		}
	})
}

package awssm

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/sink"
)

// What is managed by others is not written, although it bears our mark.
func TestGuard(t *testing.T) {
	for _, c := range []struct {
		name, field string
		value       any
		want        string // part of the sentence
	}{
		{"rotated", "RotationEnabled", true, "rotation is on"},
		{"owned by a service", "OwningService", "rds", "another AWS service"},
		{"of an external partner", "Type", "SalesforceClientSecret", "an external partner"},
		{"a replica", "PrimaryRegion", "us-east-1", "a replica"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.put("a")
			r.fake.edit(t, name, func(s *fakeSecret) { s.extra = map[string]any{c.field: c.value} })
			prev := r.inspect()
			if !strings.Contains(prev.Guard, c.want) {
				t.Errorf("got guard %q, want %q in it", prev.Guard, c.want)
			}
			_, err := r.sink.Put(t.Context(), name, recordOf(t, "b"), prev)
			wantError(t, err, sink.ErrForeign)
			if err == nil || !strings.Contains(err.Error(), prev.Guard) {
				t.Errorf("got error %v, want the sentence %q in it", err, prev.Guard)
			}
			_, err = r.sink.Adopt(t.Context(), name, sink.Owner{Instance: "x", Skill: "y"}, prev)
			wantError(t, err, sink.ErrForeign)
			r.wantValue("a")
		})
	}
	t.Run("a primary is ours to write", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		r.fake.edit(t, name, func(s *fakeSecret) { s.extra = map[string]any{"PrimaryRegion": "eu-west-1"} })
		r.put("b")
		r.wantValue("b")
	})
	t.Run("what is scheduled for deletion stays so where restore is false", func(t *testing.T) {
		r := newRigWith(t, func(c *Config) { c.Restore = new(bool) })
		r.put("a")
		r.softDelete(t, name)
		_, err := r.sink.Put(t.Context(), name, recordOf(t, "b"), r.inspect())
		wantError(t, err, sink.ErrForeign)
		if !r.inspect().Deleted {
			t.Error("it was restored")
		}
	})
}

func TestState(t *testing.T) {
	t.Run("a foreign secret without a value exists", func(t *testing.T) {
		r := newRig(t)
		r.fake.add(name, nil)
		s := r.inspect()
		if !s.Exists || !s.Owner.IsZero() {
			t.Errorf("got %+v, want it to exist and to be foreign", s)
		}
		_, err := r.sink.Put(t.Context(), name, recordOf(t, "a"), s)
		wantError(t, err, sink.ErrForeign)
	})
	t.Run("a version put by hand is no fingerprint, whatever it looks like", func(t *testing.T) {
		for _, id := range []string{"8a3b0000-0000-4000-8000-000000000001", strings.Repeat("A", 64), strings.Repeat("a", 63), strings.Repeat("g", 64)} {
			r := newRig(t)
			r.put("a")
			r.fake.edit(t, name, func(s *fakeSecret) {
				v := &fakeVersion{id: id, body: "by hand"}
				s.versions = append(s.versions, v)
				s.label(stageCurrent, v)
			})
			if s := r.inspect(); s.Fingerprint != "" || s.Version != id {
				t.Errorf("%s: got %+v, want an altered value", id, s)
			}
		}
	})
	t.Run("an instance that was renamed adopts and has nothing to write", func(t *testing.T) {
		r := newRig(t)
		old := r.put("a")
		owner := sink.Owner{Instance: "production", Skill: skillID}
		s, err := r.sink.Adopt(t.Context(), name, owner, old)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r.inspect(), s); diff != "" {
			t.Errorf("(-Inspect +Adopt):\n%s", diff)
		}
		if s.Fingerprint != old.Fingerprint || s.Owner != owner {
			t.Errorf("got %+v, want the fingerprint %s and the new owner", s, old.Fingerprint)
		}
	})
	t.Run("to adopt by the state of another secret is refused", func(t *testing.T) {
		r := newRig(t)
		r.foreign(t, name, "")
		r.foreign(t, "alexa/other", "")
		_, err := r.sink.Adopt(t.Context(), "alexa/other", sink.Owner{Instance: "prod", Skill: "other"}, r.inspect())
		wantError(t, err, sink.ErrConflict)
		if s := r.inspect(); !s.Owner.IsZero() {
			t.Errorf("got %+v, want it foreign", s)
		}
	})
	t.Run("what is scheduled for deletion is not adopted", func(t *testing.T) {
		r := newRig(t)
		r.foreign(t, name, "")
		r.softDelete(t, name)
		_, err := r.sink.Adopt(t.Context(), name, sink.Owner{Instance: "prod", Skill: skillID}, r.inspect())
		wantError(t, err, sink.ErrForeign)
	})
	t.Run("new secrets bear the tags and the key that the configuration names", func(t *testing.T) {
		r := newRigWith(t, func(c *Config) { c.Tags = map[string]string{"team": "voice"} })
		r.put("a")
		want := map[string]string{tagOwner: "prod", tagSkill: skillID, tagKey: "v1-public", "team": "voice"}
		if diff := cmp.Diff(want, r.fake.secrets[name].tags); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
	})
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name string
		ok   bool
	}{
		{"alexa/" + skillID, true},
		{"a", true},
		{strings.Repeat("a", 512), true},
		{"/_+=.@-", true},
		{"live-eu-west", true},
		{"", false},
		{strings.Repeat("a", 513), false},
		{"alexa skill", false},
		{"alexa:skill", false},
		{"älexa", false},
		{"a\n", false},
		{"skill-abcdef", false},
		{"skill-AbC123", false},
	} {
		r := newRig(t)
		_, err := r.sink.Inspect(t.Context(), c.name)
		if c.ok {
			wantError(t, err, nil)
			continue
		}
		wantError(t, err, sink.ErrInvalid)
		_, err = r.sink.Put(t.Context(), c.name, recordOf(t, "a"), sink.State{})
		wantError(t, err, sink.ErrInvalid)
		r.wantCalls()
	}
}

func TestTooLargeIsNotSent(t *testing.T) {
	r := newRig(t)
	_, err := r.sink.Put(t.Context(), name, recordOf(t, strings.Repeat("x", maxBody)), sink.State{})
	wantError(t, err, sink.ErrInvalid)
	r.wantCalls()
}

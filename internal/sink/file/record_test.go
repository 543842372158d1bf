package file_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/file"
)

const (
	skill = credential.SkillID("amzn1.ask.skill.00000000-0000-4000-8000-000000000001")
	name  = string(skill) + ".json"
)

var owner = sink.Owner{Instance: "prod", Skill: skill}

// config returns a plain configuration in a new directory.
func config(t *testing.T) file.Config {
	return file.Config{Dir: t.TempDir(), Name: "{skill_id}.json"}
}

// record returns the record of o at name whose secret is value.
func record(t *testing.T, c file.Config, o sink.Owner, name, value string) sink.Record {
	t.Helper()
	r, err := c.Form().Record(credential.FingerprintKey{}, o, name, []sink.Field{
		{Name: "client_id", Value: credential.NewSecret("amzn1.application-oa2-client.0")},
		{Name: "client_secret", Value: credential.NewSecret(value)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func inspect(t *testing.T, s sink.Sink) sink.State {
	t.Helper()
	state, err := s.Inspect(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func put(t *testing.T, s sink.Sink, r sink.Record) sink.State {
	t.Helper()
	state, err := s.Put(t.Context(), name, r, inspect(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// wantCurrent wants r to stand at name, in a version.
func wantCurrent(t *testing.T, s sink.Sink, r sink.Record, version string) {
	t.Helper()
	got := inspect(t, s)
	want := sink.State{Exists: true, Owner: r.Owner, Fingerprint: r.Fingerprint, Key: r.Key, Version: version, Ref: got.Ref}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("State (-want +got):\n%s", diff)
	}
}

package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheOutlineOfTheExample(t *testing.T) {
	got := Outlined(examples + "credsync.yaml")
	want := Outline{
		Sources: []string{"acme"}, Sinks: []string{"aws", "disk", "vault"}, Jobs: []string{"production"},
		Skills: []ListedSkill{
			{"amzn1.ask.skill.0fa4b1d2-6a1e-4b0e-9c57-2f3b8d1a7c90", "kitchen"},
			{"amzn1.ask.skill.5d3c9e77-8f42-4c1b-a0d6-91b7e2f4630a", "garden"},
			{"amzn1.ask.skill.b81e6f04-23a9-47d5-8e3c-c6075a9d1f52", ""},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// The fixtures hold what goes wrong in a file; none may end the program, which
// is asked while somebody types.
func TestAnOutlineOfWhatIsWrong(t *testing.T) {
	fixtures, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(fixtures) < 10 {
		t.Fatalf("%d fixtures: %v", len(fixtures), err)
	}
	for _, path := range fixtures {
		Outlined(path)
	}
	odd := filepath.Join(t.TempDir(), "odd.yaml")
	for _, text := range []string{"jobs: &j {a: *j}", "jobs: &j {skills: *j}", "jobs: [a]", "jobs: {a: {skills: {ids: {b: c}, file: [d]}}}", "sinks: {\"a\\nb\": {}}"} {
		if err := os.WriteFile(odd, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if o := Outlined(odd); len(o.Skills) > 0 || len(o.Sinks) > 0 {
			t.Errorf("%s: %+v", text, o)
		}
	}
	if diff := cmp.Diff(Outline{}, Outlined("testdata")); diff != "" {
		t.Errorf("of a directory:\n%s", diff)
	}
}

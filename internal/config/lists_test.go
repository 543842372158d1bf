package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestABadListLoadsButDoesNotPassTheCheck(t *testing.T) {
	c, err := load(t, `
sources: {acme: {smapi: {client_id: a, client_secret: {file: secret}, refresh_token: {file: secret}}}}
sinks:
  disk: {file: {dir: out, name: "{label}.json"}}
  other: {file: {dir: other, name: "{skill_id}.json"}}
jobs:
  empty: {source: acme, skills: {file: empty}, sinks: [disk]}
  one: {source: acme, skills: {file: one.txt}, sinks: [disk, other]}
  none: {source: acme, skills: {file: none.txt}, sinks: [other]}
  two: {source: acme, skills: {file: two.txt}, sinks: [disk]}
  vendor: {source: acme, skills: {vendor: M1}, sinks: [other]}
`)
	if err != nil {
		t.Fatal(err)
	}
	write(t, "one.txt", "skill.1 kitchen\nskill/2 garden\nskill.3 kitchen\n\nskill.4\nskill.1 again\n", 0o644)
	write(t, "two.txt", "skill.5 garden\nskill.6 kitchen\n", 0o644)
	err = c.CheckLists()
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		`DIR/empty: no skill in it; write one skill ID per line into it, or correct skills.file of the job`,
		`DIR/none.txt: no such file or directory; write one skill ID per line into it, or correct skills.file of the job`,
		`DIR/one.txt:2: skill ID "skill/2" holds '/' at position 6; letters, digits, '.', '-' and '_' are allowed, and the first is a letter or digit`,
		`DIR/one.txt:3: skill skill.3 would have the name "kitchen.json" in sink "disk", which skill skill.1 has (DIR/one.txt:1); put {skill_id} into the names of that sink, or tell the two apart by their labels`,
		`DIR/one.txt:5: no name in sink "disk": {label}: skill skill.4 has no label; write one after its ID in the list`,
		`DIR/one.txt:6: skill skill.1 is listed at DIR/one.txt:1 already; remove one of the two lines`,
		`DIR/two.txt:2: skill skill.6 would have the name "kitchen.json" in sink "disk", which skill skill.1 has (DIR/one.txt:1); put {skill_id} into the names of that sink, or tell the two apart by their labels`,
	}
	if diff := cmp.Diff(want, strings.Split(hushed(err.Error()), "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	write(t, "empty", "skill.1 kitchen\n", 0o644) // of another job, and the same skill
	write(t, "one.txt", "skill.1 kitchen\n", 0o644)
	write(t, "none.txt", "skill.1\n", 0o644)
	write(t, "two.txt", "skill.5 garden\n", 0o644)
	if err := c.CheckLists(); err != nil {
		t.Error(err)
	}
}

// What doesn't look like an ID is a slip more often than a skill.
func TestUnusualIDsDeserveAWord(t *testing.T) {
	const (
		skill = "amzn1.ask.skill.01234567-89AB-cdef-0123-456789abcdef"
		old   = "amzn1.echo-sdk-ams.app.01234567-89ab-cdef-0123-456789abcdef"
	)
	c, err := load(t, `
sources: {acme: {smapi: {client_id: a, client_secret: {file: secret}, refresh_token: {file: secret}}}}
sinks: {disk: {file: {dir: out, name: "{skill_id}.json"}}}
jobs:
  inline:
    source: acme
    skills:
      ids:
        - `+skill+`
        - `+old+` kitchen
        - hello kitchen
    sinks: [disk]
  listed: {source: acme, skills: {file: skills.txt}, sinks: [disk]}
  again: {source: acme, skills: {file: skills.txt}, sinks: [disk]}
  none: {source: acme, skills: {file: none.txt}, sinks: [disk]}
`)
	if err != nil {
		t.Fatal(err)
	}
	write(t, "skills.txt", skill+"\n"+old+" x\n\nhello/\namzn1.ask.skill.01234567 garden\n"+skill+"0\n", 0o644)
	var got []string
	for _, p := range slices.Concat(c.Advice, c.ListAdvice()) {
		if strings.Contains(p.Problem, "look like") {
			got = append(got, hushed(p.String()))
		}
	}
	want := []string{
		`credsync.yaml:11: jobs.inline.skills.ids[2]: "hello" does not look like a skill ID (amzn1.ask.skill.…)`,
		`DIR/skills.txt:5: "amzn1.ask.skill.01234567" does not look like a skill ID (amzn1.ask.skill.…)`,
		`DIR/skills.txt:6: "amzn1.ask.skill.01234567-89AB-cdef-0123-456789abcdef0" does not look like a skill ID (amzn1.ask.skill.…)`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

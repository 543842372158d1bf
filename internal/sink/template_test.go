package sink_test

import (
	"path"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

const uuid = "01234567-89ab-cdef-0123-456789abcdef"

func TestTemplateRenders(t *testing.T) {
	full := sink.Subject{Skill: "amzn1.ask.skill.01234567-89AB-CDEF-0123-456789ABCDEF", Label: "weather", Instance: "prod"}
	tests := map[string]string{
		"{skill_id}":                    string(full.Skill),
		"{skill_uuid}":                  uuid,
		"alexa/{label}":                 "alexa/weather",
		"{instance}/{label}/x":          "prod/weather/x",
		"a{skill_uuid}{label}b{label}c": "a" + uuid + "weatherbweatherc",
		"{skill_id}.json":               string(full.Skill) + ".json",
	}
	for text, want := range tests {
		tmpl, err := sink.ParseTemplate(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := tmpl.Render(full); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
		if tmpl.String() != text {
			t.Errorf("got %s back, want %s", tmpl, text)
		}
		if !tmpl.Matcher("prod").MatchString(want) {
			t.Errorf("%s: its matcher does not know %s", text, want)
		}
	}
}

func TestParseTemplateRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"": "empty", "alexa": "one name for all skills", "{instance}/x": "one name for all skills", "{skill}": "no placeholder", "{}": "no placeholder", "{ skill_id }": "no placeholder", "{SKILL_ID}": "no placeholder",
		"{skill_id": "brace", "skill_id}": "brace", "{{skill_id}}": "brace", "{skill_id}}": "brace", "{skill_id}{": "brace", "{skill_id}\xff": "not UTF-8",
	} {
		if tmpl, err := sink.ParseTemplate(text); err == nil || !strings.Contains(err.Error(), says) || tmpl != (sink.Template{}) {
			t.Errorf("%q: got %v, %v, want %q in the error", text, tmpl, err, says)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	tests := []struct {
		text    string
		subject sink.Subject
		says    string
	}{
		{"{skill_uuid}", sink.Subject{Skill: "amzn1.ask.skill.x"}, "no UUID"},
		{"{label}", sink.Subject{Skill: "x"}, "no label"},
		{"{label}", sink.Subject{Skill: "x", Label: "../x"}, "can't be part"},
		{"{label}", sink.Subject{Skill: "x", Label: "a..b"}, "can't be part"},
		{"{label}", sink.Subject{Skill: "x", Label: "a/b"}, "can't be part"},
		{"{label}", sink.Subject{Skill: "x", Label: "a b"}, "can't be part"},
		{"{label}", sink.Subject{Skill: "x", Label: ".a"}, "can't be part"},
		{"{label}", sink.Subject{Skill: "x", Label: "a\n"}, "can't be part"},
		{"{label}", sink.Subject{Skill: "x", Label: "{skill_id}"}, "can't be part"},
		{"{label}", sink.Subject{Skill: "x", Label: "ä"}, "can't be part"},
	}
	for _, tt := range tests {
		tmpl, err := sink.ParseTemplate(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tmpl.Render(tt.subject); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%+v: got %q, %v, want %q in the error", tt.subject, got, err, tt.says)
		}
	}
}

func TestPrefixAndMatcher(t *testing.T) {
	tmpl, err := sink.ParseTemplate("alexa.{instance}/{skill_id}+")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tmpl.Prefix(), "alexa."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	m := tmpl.Matcher("p.d")
	for name, want := range map[string]bool{
		"alexa.p.d/amzn1.ask.skill.x+": true, "alexa.p.d/x+": true, "alexaXp.d/x+": false, "alexa.pXd/x+": false, "alexa.p.d/x": false, "alexa.p.d/+": false, "alexa.p.d/a/b+": false, "xalexa.p.d/x+": false, "alexa.p.d/x+\n": false, "": false,
	} {
		if got := m.MatchString(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

// A template with the skill's ID gives two skills two names, and knows its own.
func TestNamesAreInjective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z/.+]{0,5}`).Draw(t, "before") + "{skill_id}" + rapid.StringMatching(`[a-z/.+]{0,5}`).Draw(t, "after")
		tmpl, err := sink.ParseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		id := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,12}`)
		a, b := id.Draw(t, "a"), id.Draw(t, "b")
		one, _ := tmpl.Render(sink.Subject{Skill: credential.SkillID(a)})
		two, _ := tmpl.Render(sink.Subject{Skill: credential.SkillID(b)})
		if (one == two) != (a == b) {
			t.Fatalf("%s: %s and %s are %s and %s", text, a, b, one, two)
		}
		if !tmpl.Matcher("x").MatchString(one) || !strings.HasPrefix(one, tmpl.Prefix()) {
			t.Fatalf("%s does not know %s", text, one)
		}
	})
}

// Whatever a template and a label hold: a name that is rendered has the shape of
// its template, and is known again.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{"{skill_id}", "alexa/{label}/{skill_uuid}", "{instance}.{skill_id}.json", "{label}{label}", "../{skill_id}", "{skill_id}\xff", "{{skill_id}}", "{label}..{skill_id}"} {
		for _, label := range []string{"", "weather", "a/b", "..", "a.", "{skill_id}", "a\n"} {
			f.Add(text, label)
		}
	}
	const skill, other = credential.SkillID("amzn1.ask.skill." + uuid), credential.SkillID("amzn1.ask.skill.fedcba98-89ab-cdef-0123-456789abcdef")
	f.Fuzz(func(t *testing.T, text, label string) {
		tmpl, err := sink.ParseTemplate(text)
		if err != nil {
			return
		}
		name, err := tmpl.Render(sink.Subject{Skill: skill, Label: label, Instance: "prod"})
		if err != nil {
			return
		}
		if strings.Count(name, "/") != strings.Count(text, "/") || strings.ContainsAny(name, "{}") || slices.Contains(strings.Split(name, "/"), "..") && !slices.Contains(strings.Split(text, "/"), "..") {
			t.Errorf("%q and label %q make %q, of another shape", text, label, name)
		}
		if !tmpl.Matcher("prod").MatchString(name) || !strings.HasPrefix(name, tmpl.Prefix()) {
			t.Errorf("%q does not know its %q", text, name)
		}
		twin, err := tmpl.Render(sink.Subject{Skill: other, Label: label, Instance: "prod"})
		if (strings.Contains(text, "{skill_id}") || strings.Contains(text, "{skill_uuid}")) && (err != nil || twin == name || path.Clean(twin) == path.Clean(name)) {
			t.Errorf("%q makes %q and %q, %v", text, name, twin, err)
		}
	})
}

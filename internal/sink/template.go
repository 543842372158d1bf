package sink

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/credsync/credsync/internal/credential"
)

// A Subject is what a [Template] renders: one skill of one job.
type Subject struct {
	Skill    credential.SkillID
	Label    string // the label beside the ID in the skill list; may be empty
	Instance string
}

// placeholders lists what a template of names may hold.
var placeholders = []string{"skill_id", "skill_uuid", "label", "instance"}

var (
	placeholder = regexp.MustCompile(`\{([^{}]*)\}`)
	plainLabel  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
)

// A Template makes the name of each skill's secret: text with {skill_id},
// {skill_uuid}, {label} and {instance} in it. It is comparable, and the zero
// Template renders nothing.
type Template struct{ text string }

// ParseTemplate returns the template that text spells. Something in it has to
// tell skills apart.
func ParseTemplate(text string) (Template, error) {
	if text == "" {
		return Template{}, fmt.Errorf("empty")
	}
	if !utf8.ValidString(text) {
		return Template{}, fmt.Errorf("%q is not UTF-8", text)
	}
	distinct := false
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(placeholders, m[1]) {
			return Template{}, fmt.Errorf("{%s} is no placeholder; there are {%s}", m[1], strings.Join(placeholders, "} {"))
		}
		distinct = distinct || m[1] != "instance"
	}
	if rest := placeholder.ReplaceAllString(text, ""); strings.ContainsAny(rest, "{}") {
		return Template{}, fmt.Errorf("a brace without its partner in %q", text)
	}
	if !distinct {
		return Template{}, fmt.Errorf("%q is one name for all skills; put {skill_id} into it", text)
	}
	return Template{text}, nil
}

// String returns the text of t.
func (t Template) String() string { return t.text }

// Render returns the name of s. A placeholder that s has no value for, or whose
// value could change the shape of the name, is an error.
func (t Template) Render(s Subject) (string, error) {
	var name strings.Builder
	for rest := t.text; rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		name.WriteString(before)
		if !found {
			break
		}
		key, after, _ := strings.Cut(after, "}")
		value, err := s.value(key)
		if err != nil {
			return "", err
		}
		name.WriteString(value)
		rest = after
	}
	return name.String(), nil
}

func (s Subject) value(key string) (string, error) {
	switch key {
	case "skill_uuid":
		u, ok := s.Skill.UUID()
		if !ok {
			return "", fmt.Errorf("{skill_uuid}: skill ID %q ends in no UUID", s.Skill)
		}
		return u, nil
	case "label":
		switch {
		case s.Label == "":
			return "", fmt.Errorf("{label}: skill %s has no label; write one after its ID in the list", s.Skill)
		case !plainLabel.MatchString(s.Label) || strings.Contains(s.Label, ".."):
			return "", fmt.Errorf("{label}: label %q can't be part of a name; letters, digits, '.', '-' and '_' can", s.Label)
		}
		return s.Label, nil
	case "instance":
		return s.Instance, nil
	default:
		return string(s.Skill), nil
	}
}

// Prefix returns what stands before the first placeholder.
func (t Template) Prefix() string {
	before, _, _ := strings.Cut(t.text, "{")
	return before
}

// Matcher returns an expression for the names that t can render for instance.
func (t Template) Matcher(instance string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("^")
	rest := t.text
	for _, loc := range placeholder.FindAllString(t.text, -1) {
		before, after, _ := strings.Cut(rest, loc)
		b.WriteString(regexp.QuoteMeta(before))
		if loc == "{instance}" {
			b.WriteString(regexp.QuoteMeta(instance))
		} else {
			b.WriteString(`[A-Za-z0-9][A-Za-z0-9._-]*`)
		}
		rest = after
	}
	b.WriteString(regexp.QuoteMeta(rest) + "$")
	return regexp.MustCompile(b.String())
}

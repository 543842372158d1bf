package config

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

const examples = "../../configs/"

// example returns an example's text, and a directory with a copy of it beside
// the files that it names.
func example(t *testing.T, name string) (text, dir string) {
	t.Helper()
	b, err := os.ReadFile(examples + name)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	for _, m := range regexp.MustCompile(`\{(?:file|credential): ([^}]*)\}`).FindAllStringSubmatch(string(b), -1) {
		write(t, filepath.Join(dir, m[1]), "not-to-be-shown\n", 0o600)
	}
	authority := httptest.NewTLSServer(nil)
	authority.Close()
	write(t, filepath.Join(dir, "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate().Raw})), 0o644)
	list, err := os.ReadFile(examples + "skills.txt")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "skills.txt"), string(list), 0o644)
	write(t, filepath.Join(dir, name), strings.ReplaceAll(string(b), "/var/log/credsync", dir), 0o644)
	return string(b), dir
}

func TestExamplesLoad(t *testing.T) {
	validator, err := jsonschema.NewCompiler().Compile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"credsync.yaml", "minimal.yaml", "service.yaml"} {
		t.Run(name, func(t *testing.T) {
			text, dir := example(t, name)
			c, err := Load(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.CheckLists(); err != nil {
				t.Error(err)
			}
			if len(c.Advice) > 0 {
				t.Errorf("advice: %v", c.Advice)
			}
			if !regexp.MustCompile(`^# yaml-language-server: \$schema=\S+/credsync\.schema\.json\n`).MatchString(text) {
				t.Error("editors are not told of the schema on the first line")
			}
			if err := validator.Validate(decoded(t, text)); err != nil {
				t.Error(err)
			}
		})
	}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Load([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// What credsync refuses, an editor underlines, as far as a schema can tell.
func TestEditorsAreToldOfFaults(t *testing.T) {
	validator, err := jsonschema.NewCompiler().Compile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range []string{
		"audit-bad-stream", "audit-both-in-one", "audit-no-destination", "bad-names", "empty-jobs", "instance-uppercase",
		"max-changes-out-of-range", "missing-keys", "no-jobs", "no-kind-of-sink", "no-kind-of-source", "not-a-mapping", "secret-in-braces",
		"secret-literal", "secret-literal-list", "secret-two-places", "skills-none", "skills-two-ways",
		"two-kinds-in-one-sink", "unknown-keys", "unknown-kind-of-sink", "wrong-types",
	} {
		text, err := os.ReadFile("testdata/" + fault + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if validator.Validate(decoded(t, string(text))) == nil {
			t.Errorf("%s: accepted", fault)
		}
	}
}

// Each key that there is stands in the full example: live, or in a comment
// where it can't stand beside what is live.
func TestExampleShowsEveryKey(t *testing.T) {
	text, _ := example(t, "credsync.yaml")
	var all, shown map[string]any
	b, err := os.ReadFile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Load(b, &all); err != nil {
		t.Fatal(err)
	}
	shown = make(map[string]any)
	collect(all, all, decoded(t, text), shown)
	var comments []string
	for line := range strings.Lines(text) {
		if _, comment, ok := strings.Cut(line, "#"); ok {
			comments = append(comments, comment)
		}
	}
	for definition, d := range all["$defs"].(map[string]any) {
		for key := range d.(map[string]any)["properties"].(map[string]any) {
			_, live := shown[definition+" "+key]
			mentioned := regexp.MustCompile(`(?m)[ {]` + key + `: `).MatchString(strings.Join(comments, ""))
			if !live && !mentioned {
				t.Errorf("%s: %s is missing", definition, key)
			}
		}
	}
}

// collect notes which properties of the schema s the value v uses.
func collect(root, s map[string]any, v any, shown map[string]any) {
	definition := ""
	if ref, ok := s["$ref"].(string); ok {
		definition = strings.TrimPrefix(ref, "#/$defs/")
		s = root["$defs"].(map[string]any)[definition].(map[string]any)
	}
	switch v := v.(type) {
	case map[string]any:
		properties, _ := s["properties"].(map[string]any)
		for key, value := range v {
			next, ok := properties[key].(map[string]any)
			if !ok {
				next, ok = s["additionalProperties"].(map[string]any)
			}
			if ok {
				shown[definition+" "+key] = true
				collect(root, next, value, shown)
			}
		}
	case []any:
		for _, alternative := range append([]any{s}, anys(s["oneOf"])...) {
			if items, ok := alternative.(map[string]any)["items"].(map[string]any); ok {
				for _, value := range v {
					collect(root, items, value, shown)
				}
			}
		}
	}
}

func anys(v any) []any {
	list, _ := v.([]any)
	return list
}

package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/credsync/credsync/internal/sink"
)

// Whatever a file holds, it loads, or its faults are told: each on a line of
// its own and with a place.
func FuzzParse(f *testing.F) {
	fixtures, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range append(fixtures, examples+"credsync.yaml", examples+"minimal.yaml") {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) { checked(t, data) })
}

// lineBreaks are what YAML 1.1 counts as such.
var lineBreaks = regexp.MustCompile("\r\n|[\n\r\u0085\u2028\u2029]")

func checked(t *testing.T, data []byte) string {
	t.Helper()
	_, err := parse(data, "credsync.yaml", (*Config).lookAround)
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || len(e.Problems) == 0 {
		t.Fatalf("an error of another kind: %v", err)
	}
	for _, p := range e.Problems {
		if p.Line < 0 || p.Line > 1+len(lineBreaks.FindAll(data, -1)) || p.Problem == "" {
			t.Errorf("no place: %+v", p)
		}
		if strings.ContainsFunc(p.String(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("not one line: %q", p)
		}
	}
	return e.Error()
}

// A value that stands where the place of a secret belongs is never repeated,
// however it is spelled.
func FuzzLiteralSecret(f *testing.F) {
	const canary = "Hunter2Canary"
	for _, spelling := range []string{"%s", "%q", "'%s'", "[%s]", "{%s}", "{{%s}}", "{value: %s}", "{file: [%s]}", "{file: {path: %s}}", "!%s x", "*%s", "&%s", "@%s", "`%s`", "|\n        %s", "{env: %s!}", "[%s", "!!int %s", "? %s", "<<: %s", "{<<: %s}", "\"%s", "%s: %s", "{file: a, %s: b}"} {
		f.Add(spelling)
	}
	f.Fuzz(func(t *testing.T, spelling string) {
		value := strings.ReplaceAll(strings.ReplaceAll(spelling, "%s", canary), "%q", `"`+canary+`"`)
		if strings.ContainsAny(value, "\r\n\u0085\u2028\u2029") && spelling != "|\n        %s" || strings.Contains(value, "file: "+canary) || strings.Contains(value, "credential: ") || strings.Contains(value, "env: "+canary+"}") {
			return // it ends here, or names a place
		}
		if namesPlace(value, canary) {
			return
		}
		text := fmt.Sprintf("sources:\n  acme:\n    smapi:\n      client_secret: %s\n", value)
		if said := checked(t, []byte(text)); strings.Contains(said, canary) {
			t.Errorf("repeats what %q holds: %s", value, said)
		}
	})
}

// namesPlace reports whether value is one place, whole and valid, with part in its
// name: a name with something before or behind it is one as well.
func namesPlace(value, part string) bool {
	var ref map[string]string
	if yaml.Unmarshal([]byte(value), &ref) != nil || len(ref) != 1 {
		return false
	}
	return strings.Contains(ref["file"]+ref["credential"], part) || sink.ValidEnvName(ref["env"])
}

package config

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
)

const referencePath = "../../docs/configuration.md"

const referenceHead = `# Configuration

Every key of ` + "`credsync.yaml`" + `, made from the program's own types. For an example
with a comment on each, see [configs/credsync.yaml](../configs/credsync.yaml); for
the least that works, [configs/minimal.yaml](../configs/minimal.yaml). An editor that
knows JSON Schema takes [configs/credsync.schema.json](../configs/credsync.schema.json).

The file is ` + "`-c PATH`" + `, else ` + "`$CREDSYNC_CONFIG`" + `, else ` + "`/etc/credsync/credsync.yaml`" + `. JSON is
accepted as the YAML that it is. Relative paths are relative to the file. No secret
stands in it: where the value is *a secret*, it is one of ` + "`{file: PATH}`" + `, ` + "`{env: NAME}`" + `
and ` + "`{credential: NAME}`" + `, the last being a credential that systemd loads.
` + "`credsync check`" + ` tells all that is wrong with a file at once, each with its line and
the way out.
`

// The reference is made from the schema, which is made from the types.
func TestReferenceIsUpToDate(t *testing.T) {
	r := &reference{schema: schemaOf(t)}
	r.WriteString(referenceHead)
	r.section("", r.schema)
	got := r.String()
	if *update {
		write(t, referencePath, got, 0o644)
	}
	want, err := os.ReadFile(referencePath)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("run go test ./internal/config -run Reference -update (-is +should be):\n%s", diff)
	}
}

// A reference is the page while it is written.
type reference struct {
	strings.Builder
	schema *jsonschema.Schema
}

// A part is a mapping that is described in a section of its own.
type part struct {
	at string
	of *jsonschema.Schema
}

// section writes the keys of s, which stands at a path of keys, and then the
// mappings below it.
func (r *reference) section(at string, s *jsonschema.Schema) {
	title := "`" + at + "`"
	if at == "" {
		title = "The file"
	}
	fmt.Fprintf(r, "\n## %s\n\n", title)
	if more := further(s.Description); at != "" && more != "" {
		fmt.Fprintf(r, "%s\n\n", more)
	}
	if len(s.OneOf) > 1 {
		r.WriteString("Exactly one of its kinds is set.\n\n")
	}
	r.WriteString("| key | value | meaning |\n|---|---|---|\n")
	var parts []part
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		value, below := r.value(join(at, p.Key), p.Value)
		if slices.Contains(s.Required, p.Key) {
			value += ", required"
		}
		fmt.Fprintf(r, "| `%s` | %s | %s |\n", p.Key, value, strings.ReplaceAll(meaning(p.Key, p.Value.Description), "|", `\|`))
		parts = append(parts, below...)
	}
	for _, p := range parts {
		r.section(p.at, p.of)
	}
}

// value says what s takes, and which mappings below it are still to describe.
func (r *reference) value(at string, s *jsonschema.Schema) (string, []part) {
	switch {
	case strings.HasSuffix(s.Ref, "/credential.Ref"):
		return "a secret", nil
	case s.Ref != "":
		return "mapping", []part{{at, r.schema.Definitions[strings.TrimPrefix(s.Ref, "#/$defs/")]}}
	case s.OneOf != nil:
		_, parts := r.value(at, s.OneOf[0])
		return "mapping, or a list of them", parts
	case s.AdditionalProperties != nil && s.AdditionalProperties.Ref != "":
		_, parts := r.value(join(at, "NAME"), s.AdditionalProperties)
		return "mappings by name", parts
	case s.AdditionalProperties != nil:
		return "texts by name", nil
	case s.Enum != nil:
		return alternatives(s.Enum), nil
	case s.Items != nil && s.Items.Enum != nil:
		return "list of " + alternatives(s.Items.Enum), nil
	case s.Items != nil:
		return "list of texts", nil
	case s.Examples != nil:
		return "text, as `" + fmt.Sprint(s.Examples[0]) + "`", nil
	}
	return map[string]string{"string": "text", "boolean": "true or false", "integer": "whole number", "number": "number"}[s.Type], nil
}

// further returns what a type's comment says beyond what the type is: the first
// sentence, those about the Go value, and that one of several is set.
func further(comment string) string {
	_, rest, _ := strings.Cut(comment, ". ")
	var kept []string
	for sentence := range strings.SplitSeq(rest, ". ") {
		if !strings.Contains(sentence, "zero ") && !strings.HasPrefix(sentence, "Exactly one ") {
			kept = append(kept, sentence)
		}
	}
	return strings.Join(kept, ". ")
}

// meaning returns what a comment says of key, which stands beside it.
func meaning(key, comment string) string {
	text := strings.TrimPrefix(comment, key+" ")
	text = strings.TrimPrefix(strings.TrimPrefix(text, "is "), "are ")
	return strings.ToUpper(text[:min(1, len(text))]) + text[min(1, len(text)):]
}

func alternatives(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprintf("`%v`", v)
	}
	return strings.Join(texts, ", ")
}

func join(at, key string) string { return strings.TrimPrefix(at+"."+key, ".") }

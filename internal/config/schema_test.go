package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"

	"github.com/credsync/credsync/internal/notify"
	"github.com/credsync/credsync/internal/sink/vaultkv"
)

const schemaPath = "../../configs/credsync.schema.json"

// The schema is made here and not in the program, because descriptions are doc
// comments, which only the source tree has.
func TestSchemaIsUpToDate(t *testing.T) {
	got := schema(t)
	if *update {
		write(t, schemaPath, string(got), 0o644)
	}
	want, err := os.ReadFile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run go test ./internal/config -run Schema -update (-is +should be):\n%s", diff)
	}
}

// schema returns the JSON Schema of the configuration as the file holds it.
func schema(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(schemaOf(t)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// schemaOf returns the JSON Schema of the configuration.
func schemaOf(t *testing.T) *jsonschema.Schema {
	t.Helper()
	r := &jsonschema.Reflector{
		Anonymous:      true,
		ExpandedStruct: true,
		FieldNameTag:   "yaml",
		Namer:          qualified,
		Mapper:         formatted,
	}
	for _, dir := range []string{"../config", "../credential", "../source/smapi", "../sink/vaultkv", "../sink/awssm", "../sink/file", "../notify", "../wire"} {
		if err := r.AddGoComments("github.com/credsync/credsync/internal/config", dir, jsonschema.WithFullComment()); err != nil {
			t.Fatal(err)
		}
	}
	comments := r.CommentMap
	r.CommentMap = nil
	r.LookupComment = func(t reflect.Type, field string) string { return description(comments, t, field) }
	s := r.ReflectFromType(reflect.TypeFor[Config]())
	s.Title = "credsync.yaml"
	s.Description = "The configuration of credsync. Relative paths are relative to the file."
	audit := r.ReflectFromType(reflect.TypeFor[Audit]())
	audit.Version, audit.Definitions = "", nil
	s.Definitions["config.Audit"] = audit
	refine(s)
	return s
}

// qualified tells the Config of one adapter from that of another.
func qualified(t reflect.Type) string {
	if t.Name() == "" {
		return ""
	}
	return path.Base(t.PkgPath()) + "." + t.Name()
}

// formatted maps the types that a file spells as text, and the audit trail.
func formatted(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return &jsonschema.Schema{Type: "string", Pattern: `^0$|^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`, Examples: []any{"30s", "10m", "6h"}}
	case reflect.TypeFor[Percent]():
		return &jsonschema.Schema{Type: "string", Pattern: `^(100|[0-9]{1,2}(\.[0-9]{1,9})?) ?%$`, Examples: []any{"20%"}}
	case auditsType:
		one := &jsonschema.Schema{Ref: "#/$defs/config.Audit"}
		least, most := uint64(1), uint64(2)
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{one, {Type: "array", Items: one, MinItems: &least, MaxItems: &most}}}
	}
	return nil
}

// description returns a doc comment as an operator reads it: with the key in
// place of the field's name, and in one paragraph.
func description(comments map[string]string, t reflect.Type, field string) string {
	id := t.PkgPath() + "." + t.Name()
	text := comments[id]
	if field != "" {
		text = comments[id+"."+field]
		if f, ok := t.FieldByName(field); ok {
			if rest, ok := strings.CutPrefix(text, field+" "); ok {
				text = name(f) + " " + rest
			}
		}
	}
	return links.ReplaceAllString(strings.Join(strings.Fields(text), " "), "$1")
}

var links = regexp.MustCompile(`\[([A-Z][A-Za-z.]*)\]`)

// refine adds to the schema what the types don't say.
func refine(s *jsonschema.Schema) {
	names := &jsonschema.Schema{Pattern: namePattern.String()}
	for _, section := range []string{"sources", "sinks", "jobs"} {
		s.Properties.Value(section).PropertyNames = names
	}
	some := uint64(1)
	s.Properties.Value("jobs").MinProperties = &some
	s.Properties.Value("instance").Pattern = instancePattern.String()
	s.Definitions["config.Audit"].Properties.Value("stream").Enum = []any{"stdout", "stderr"}
	s.Definitions["file.Config"].Properties.Value("format").Enum = []any{"json", "env"}
	for _, receiver := range []string{"notify.WebhookConfig", "notify.CommandConfig"} {
		s.Definitions[receiver].Properties.Value("on").Items.Enum = []any{notify.Changed, notify.Refused, notify.Failed}
	}
	s.Definitions["vaultkv.Config"].Properties.Value("version").Enum = []any{1, 2}
	for union, members := range map[string][]string{
		"config.Source":  {"smapi"},
		"config.Sink":    kindsOfSinks,
		"config.Skills":  {"file", "ids", "vendor"},
		"config.Audit":   {"file", "stream"},
		"credential.Ref": keysOf(refType),
		"vaultkv.Auth":   keysOf(reflect.TypeFor[vaultkv.Auth]()),
	} {
		for _, member := range members {
			s.Definitions[union].OneOf = append(s.Definitions[union].OneOf, &jsonschema.Schema{Required: []string{member}})
		}
	}
}

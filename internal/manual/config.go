package manual

import (
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Config writes credsync.yaml(5) from the JSON Schema of the file, with an
// example at its end. An error means that schema is none.
func Config(w io.Writer, schema []byte, example string, e Edition) error {
	var doc yaml.Node // a JSON text is YAML, and a node keeps the order of keys
	if err := yaml.Unmarshal(schema, &doc); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	if len(doc.Content) == 0 {
		return fmt.Errorf("schema: empty")
	}
	s := &reader{root: doc.Content[0]}
	s.section("", s.root)
	return write(w, "credsync.yaml.5.tmpl", struct {
		Edition
		Sections []section
		Example  string
	}{e, s.sections, example})
}

// A section tells the keys of one mapping.
type section struct {
	Path, Help string
	Keys       []key
}

type key struct {
	Name, Type, Help string
}

// kept is the definition of the place of a secret, which is told once.
const kept = "#/$defs/credential.Ref"

type reader struct {
	root     *yaml.Node
	sections []section
}

// section adds the keys of mapping, which stands at path, and then the sections
// of what stands below it.
func (r *reader) section(path string, mapping *yaml.Node) {
	s := section{Path: path, Help: about(mapping)}
	required := texts(get(mapping, "required"))
	var below []func()
	for name, p := range entries(get(mapping, "properties")) {
		at := strings.TrimPrefix(path+"."+name, ".")
		kind, inner, innerAt := r.kind(p, at)
		if required[name] {
			kind += ", required"
		}
		s.Keys = append(s.Keys, key{name, kind, r.help(name, p)})
		if inner != nil {
			below = append(below, func() { r.section(innerAt, inner) })
		}
	}
	r.sections = append(r.sections, s)
	for _, add := range below {
		add()
	}
}

// kind says what p takes. Where that is a mapping with keys of its own, inner
// describes it and at is where it stands.
func (r *reader) kind(p *yaml.Node, path string) (kind string, inner *yaml.Node, at string) {
	ref := text(p, "$ref")
	switch {
	case ref == kept:
		return "place of a secret", nil, ""
	case ref != "":
		return "mapping", r.definition(ref), path
	case get(p, "enum") != nil:
		return strings.Join(list(get(p, "enum")), " | "), nil, ""
	case get(p, "oneOf") != nil: // one mapping, or a list of them
		_, inner, _ := r.kind(get(p, "oneOf").Content[0], path)
		return "mapping, or a list of them", inner, path
	case get(p, "examples") != nil:
		return "such as " + strings.Join(list(get(p, "examples")), ", "), nil, ""
	case text(p, "type") == "array":
		return "list of " + text(get(p, "items"), "type") + "s", nil, ""
	case get(p, "additionalProperties") != nil && text(p, "type") == "object":
		element := get(p, "additionalProperties")
		if ref := text(element, "$ref"); ref != "" {
			return "mapping of names", r.definition(ref), path + ".NAME"
		}
		return "mapping of names to " + text(element, "type") + "s", nil, ""
	}
	return text(p, "type"), nil, ""
}

// help is what the schema says of p, which is called name, without saying so
// again.
func (r *reader) help(name string, p *yaml.Node) string {
	said := text(p, "description")
	if said == "" {
		return about(r.definition(text(p, "$ref")))
	}
	if rest, ok := strings.CutPrefix(said, name+" "); ok {
		said = strings.TrimPrefix(strings.TrimPrefix(rest, "is "), "are ")
	}
	return strings.ToUpper(said[:1]) + said[1:]
}

// about is what the schema says of a mapping. The Config of an adapter begins
// with a sentence for programmers.
func about(mapping *yaml.Node) string {
	said := text(mapping, "description")
	if strings.HasPrefix(said, "A Config ") {
		_, said, _ = strings.Cut(said, ". ")
	}
	return said
}

func (r *reader) definition(ref string) *yaml.Node {
	return get(get(r.root, "$defs"), strings.TrimPrefix(ref, "#/$defs/"))
}

// entries yields the keys and values of a mapping in their order.
func entries(n *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		for i := 0; n != nil && i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Content[i+1]) {
				return
			}
		}
	}
}

// get returns the value of name in the mapping n, or nil.
func get(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for key, value := range entries(n) {
		if key == name {
			return value
		}
	}
	return nil
}

func text(n *yaml.Node, name string) string {
	if v := get(n, name); v != nil {
		return v.Value
	}
	return ""
}

func list(n *yaml.Node) (all []string) {
	if n == nil {
		return nil
	}
	for _, element := range n.Content {
		all = append(all, element.Value)
	}
	return all
}

func texts(n *yaml.Node) map[string]bool {
	set := make(map[string]bool)
	for _, t := range list(n) {
		set[t] = true
	}
	return set
}

package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/credsync/credsync/internal/credential"
)

// maxAliased bounds how many values aliases may stand for, all in all: a few
// lines of aliases to aliases can stand for billions.
const maxAliased = 10_000

var (
	refType      = reflect.TypeFor[credential.Ref]()
	auditsType   = reflect.TypeFor[Audits]()
	durationType = reflect.TypeFor[time.Duration]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// A shaper compares a document with the type that it is to become. What does
// not fit is reported and taken out of the tree, so that the rest can be decoded
// and checked, and all faults be told at once. The decoder could find them too,
// but it quotes values and Go types.
type shaper struct {
	*report
	open    map[*yaml.Node]bool // on the way from the root to here
	depth   int                 // of aliases
	aliased int
}

// fit shapes the document of r like t. False means that nothing is left of it.
func fit(r *report, t reflect.Type) bool {
	s := &shaper{report: r, open: make(map[*yaml.Node]bool)}
	return s.value(r.doc.root, t, nil) && s.aliased <= maxAliased
}

// value reports whether n can be decoded as a t.
func (s *shaper) value(n *yaml.Node, t reflect.Type, at keys) (ok bool) {
	defer func() {
		if !ok {
			s.spoiled = append(s.spoiled, at)
		}
	}()
	if n.Kind == yaml.AliasNode {
		s.depth++
		defer func() { s.depth-- }()
		n = n.Alias
	}
	if s.depth > 0 {
		s.aliased++
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case s.aliased > maxAliased:
		if s.aliased == maxAliased+1 {
			s.at(n.Line, at, "too many aliases", "write out what they stand for")
		}
		return false
	case s.open[n]:
		s.at(n.Line, at, "an alias (*) to something that holds it", "remove the alias")
		return false
	case n.Style&yaml.TaggedStyle != 0:
		s.at(n.Line, at, "a tag (!), which has no meaning here", "remove it, or quote a value that begins with an exclamation mark")
		return false
	}
	s.open[n] = true
	defer delete(s.open, n)
	return s.untagged(n, t, at)
}

func (s *shaper) untagged(n *yaml.Node, t reflect.Type, at keys) bool {
	switch {
	case t == refType && n.Kind != yaml.MappingNode:
		s.literalSecret(n, at)
		return false
	case isNull(n):
		s.at(n.Line, at, "no value", "give it one, or remove the key")
		return false
	case t == auditsType && n.Kind == yaml.MappingNode:
		return s.mapping(n, t.Elem(), at)
	case isScalar(t):
		return s.scalar(n, t, at)
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		return s.list(n, t, at)
	case (t.Kind() == reflect.Struct || t.Kind() == reflect.Map) && n.Kind == yaml.MappingNode:
		return s.mapping(n, t, at)
	}
	s.misfit(n, t, at)
	return false
}

func (s *shaper) misfit(n *yaml.Node, t reflect.Type, at keys) {
	has := map[yaml.Kind]string{yaml.ScalarNode: "a single value", yaml.SequenceNode: "a list", yaml.MappingNode: "a mapping"}
	s.at(n.Line, at, fmt.Sprintf("%s where %s belongs", has[n.Kind], belongs(t)), "")
}

// belongs names what a value of t looks like in a file.
func belongs(t reflect.Type) string {
	switch {
	case t == auditsType:
		return "a mapping such as {file: PATH} or {stream: stdout}, or a list of them,"
	case t == durationType:
		return "a duration such as 30s, 10m or 6h"
	case t.Implements(textType) || t.Kind() == reflect.String:
		return "text"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.Slice:
		return "a list ([a, b], or a line with - for each)"
	case isScalar(t):
		return "a whole number"
	}
	return "a mapping (key: value)"
}

// list reports whether all elements fit. Taking out one that does not would
// renumber the others.
func (s *shaper) list(n *yaml.Node, t reflect.Type, at keys) bool {
	ok := true
	for i, element := range n.Content {
		ok = s.value(element, t.Elem(), at.element(i)) && ok
	}
	return ok
}

func (s *shaper) scalar(n *yaml.Node, t reflect.Type, at keys) bool {
	if n.Kind != yaml.ScalarNode {
		s.misfit(n, t, at)
		return false
	}
	v := reflect.New(t)
	var err error
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v); ok {
		if err = u.UnmarshalText([]byte(n.Value)); err != nil {
			problem, hint, _ := strings.Cut(err.Error(), "; ")
			s.at(n.Line, at, problem, hint)
			return false
		}
		return true
	}
	if t == durationType {
		// The decoder would take a bare number for nanoseconds.
		_, err = time.ParseDuration(n.Value)
	} else {
		err = n.Decode(v.Interface())
	}
	if err != nil {
		s.at(n.Line, at, "not "+belongs(t), "")
	}
	return err == nil
}

func isScalar(t reflect.Type) bool {
	if reflect.PointerTo(t).Implements(textType) {
		return true
	}
	return !slices.Contains([]reflect.Kind{reflect.Struct, reflect.Map, reflect.Slice}, t.Kind())
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

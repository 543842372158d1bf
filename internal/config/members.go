package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/suggest"

	"go.yaml.in/yaml/v4"

	"github.com/credsync/credsync/internal/sink/vaultkv"
)

// mapping keeps of n the members that fit into t, a struct or a map.
func (s *shaper) mapping(n *yaml.Node, t reflect.Type, at keys) bool {
	if t == refType {
		return s.ref(n, at)
	}
	s.members(n, t, at)
	return true
}

func (s *shaper) members(n *yaml.Node, t reflect.Type, at keys) {
	kept := make([]*yaml.Node, 0, len(n.Content))
	first := make(map[string]*yaml.Node, len(n.Content)/2)
	for key, value := range pairs(n) {
		if isMerge(key) {
			if s.merge(value, t, at) {
				kept = append(kept, key, value)
			}
			continue
		}
		if key.Kind != yaml.ScalarNode || key.Style&yaml.TaggedStyle != 0 || isNull(key) {
			s.at(key.Line, at, "a key that is not plain text", "write it as key: value; quote a value that begins with { or [")
			continue
		}
		if before := first[key.Value]; before != nil {
			s.at(key.Line, at.child(key.Value), fmt.Sprintf("given twice, first on line %d", before.Line), "keep one of the two")
			continue
		}
		first[key.Value] = key
		if s.member(key, value, t, at) {
			kept = append(kept, key, value)
		} else {
			s.gaps = append(s.gaps, at)
		}
	}
	n.Content = kept
}

// member reports whether key is known to t and value fits.
func (s *shaper) member(key, value *yaml.Node, t reflect.Type, at keys) bool {
	if t.Kind() == reflect.Map {
		return s.value(value, t.Elem(), at.child(key.Value))
	}
	for _, f := range members(t) {
		if name(f) == key.Value {
			return s.value(value, f.Type, at.child(key.Value))
		}
	}
	s.unknown(key, t, at)
	return false
}

// otherLogins are the ways to log in to Vault that credsync doesn't go (Vault:
// Auth Methods).
var otherLogins = []string{"alicloud", "aws", "azure", "cf", "gcp", "github", "kerberos", "ldap", "oci", "oidc", "okta", "radius"}

// unknown reports a key that t does not have. The key that was probably meant
// is not to be missed, then.
func (s *shaper) unknown(key *yaml.Node, t reflect.Type, at keys) {
	if t == reflect.TypeFor[vaultkv.Auth]() && slices.Contains(otherLogins, key.Value) {
		s.at(key.Line, at.child(key.Value), "unknown key", "credsync does not log in this way; use "+strings.Join(keysOf(t), ", "))
		return
	}
	names := keysOf(t)
	s.at(key.Line, at.child(key.Value), "unknown key", suggest.Hint(key.Value, names, "keys here"))
	if meant := suggest.Nearest(key.Value, names); meant != "" {
		s.spoiled = append(s.spoiled, at.child(meant))
	}
}

// merge reports whether all that << merges fits into t.
func (s *shaper) merge(value *yaml.Node, t reflect.Type, at keys) bool {
	ok := true
	for _, m := range merged(value) {
		if target(m).Kind != yaml.MappingNode {
			s.at(m.Line, at, "<< merges something that is no mapping", "merge mappings alone, by an alias (*)")
			return false
		}
		ok = s.value(m, t, at) && ok
	}
	return ok
}

const whereKept = "write {file: PATH}, {env: NAME} or {credential: NAME}"

// ref reports whether n names exactly one place of a secret.
func (s *shaper) ref(n *yaml.Node, at keys) bool {
	before := len(s.problems)
	for key := range pairs(n) {
		if isMerge(key) || key.Kind != yaml.ScalarNode || !slices.Contains(refKeys(), key.Value) {
			// What stands here could be the secret: it is not repeated, unless
			// it is a slip of a key.
			hint := whereKept
			if meant := suggest.Nearest(key.Value, refKeys()); meant != "" {
				hint = fmt.Sprintf("did you mean %q? %s", meant, hint)
			}
			s.at(key.Line, at, "an unknown key where the place of a secret belongs", hint)
			return false
		}
	}
	s.members(n, refType, at)
	switch {
	case len(n.Content) == 2 && n.Content[1].Value != "":
		return true
	case len(n.Content) > 2:
		s.at(n.Line, at, "more than one place for one secret", "keep one of file, env and credential")
	case len(s.problems) == before:
		s.at(n.Line, at, "names no secret", whereKept)
	}
	return false
}

// literalSecret reports a value where the place of a secret belongs, without
// repeating it.
func (s *shaper) literalSecret(n *yaml.Node, at keys) {
	problem, hint := "a value where the place of a secret belongs",
		"put the value into a file of its own (chmod 600) and write {file: PATH}; {env: NAME} and {credential: NAME} work too"
	if isNull(n) {
		problem, hint = "names no secret", whereKept
	}
	s.at(n.Line, at, problem, hint)
}

func refKeys() []string { return keysOf(refType) }

// keysOf returns the keys of a struct in a file.
func keysOf(t reflect.Type) (names []string) {
	for _, f := range members(t) {
		names = append(names, name(f))
	}
	return names
}

// members returns the fields of t that a file can set.
func members(t reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for f := range t.Fields() {
		if f.IsExported() && name(f) != "-" {
			fields = append(fields, f)
		}
	}
	return fields
}

// name returns the key of f in a file.
func name(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key
}

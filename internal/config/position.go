package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// keys is the way from the root of a document to a value: the keys of mappings,
// and [0], [1] … for the elements of lists. The names of sinks may hold dots,
// so one string would not do.
type keys []string

func (k keys) child(name string) keys { return append(slices.Clip(k), name) }

func (k keys) element(i int) keys { return k.child("[" + strconv.Itoa(i) + "]") }

// within returns the keys below k that an adapter names: "encrypt_to.0".
func (k keys) within(field string) keys {
	for name := range strings.SplitSeq(field, ".") {
		if i, err := strconv.Atoi(name); err == nil {
			k = k.element(i)
		} else if name != "" {
			k = k.child(name)
		}
	}
	return k
}

var plainKey = regexp.MustCompile(`^[\pL\pN_./ :-]{1,80}$|^\[[0-9]+\]$`)

// String joins k as messages show it: jobs.production.sinks[1].
func (k keys) String() string {
	var b strings.Builder
	for i, name := range k {
		if i > 0 && !strings.HasPrefix(name, "[") {
			b.WriteByte('.')
		}
		if !plainKey.MatchString(name) {
			name = quote(name)
		}
		b.WriteString(name)
	}
	return b.String()
}

// quote returns a name from the file as a message shows it, cut where nobody
// would read on.
func quote(name string) string {
	const enough = 60
	if runes := []rune(name); len(runes) > enough {
		name = string(runes[:enough]) + "…"
	}
	return strconv.Quote(name)
}

// A document is a parsed file.
type document struct {
	path string
	root *yaml.Node // the mapping at the top
}

// line returns where the value at k stands: the line of its key, or of the
// nearest value around it where it stands nowhere.
func (d *document) line(k keys) int {
	line, n := d.root.Line, d.root
	for _, name := range k {
		key, value := lookup(n, name)
		if value == nil {
			break
		}
		line, n = key.Line, value
	}
	return line
}

// lookup returns the key and the value of name in n; both are the element where
// n is a list. They are nil where n has no such value.
func lookup(n *yaml.Node, name string) (key, value *yaml.Node) {
	n = target(n)
	switch n.Kind {
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(strings.Trim(name, "[]")); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i], target(n.Content[i])
		}
	case yaml.MappingNode:
		for key, value := range pairs(n) {
			if key.Value == name {
				return key, target(value)
			}
		}
		return lookupMerged(n, name)
	}
	return nil, nil
}

// lookupMerged looks where n merges (<<) other mappings.
func lookupMerged(n *yaml.Node, name string) (key, value *yaml.Node) {
	for key, value := range pairs(n) {
		if !isMerge(key) {
			continue
		}
		for _, m := range merged(value) {
			if key, value := lookup(m, name); value != nil {
				return key, value
			}
		}
	}
	return nil, nil
}

// pairs yields the keys and values of a mapping.
func pairs(n *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

func isMerge(key *yaml.Node) bool { return key.ShortTag() == "!!merge" }

// merged returns the mappings that the value of << names.
func merged(value *yaml.Node) []*yaml.Node {
	if value = target(value); value.Kind == yaml.SequenceNode {
		return value.Content
	}
	return []*yaml.Node{value}
}

// target returns what n is an alias of, or n.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

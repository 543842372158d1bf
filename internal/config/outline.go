package config

import (
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/credsync/credsync/internal/source"
)

// An Outline is the names in a configuration, sorted.
type Outline struct {
	Sources, Sinks, Jobs []string
	// Skills are the IDs on the lists of the jobs, each with its label.
	Skills []ListedSkill
}

// A ListedSkill is a skill ID as a list has it, and its label.
type ListedSkill struct{ ID, Label string }

// Outlined tells the names in the file at path, as far as they can be made out:
// it is there to be completed while somebody types, not to be relied on. It
// reads no secret and finds no fault.
func Outlined(path string) (o Outline) {
	data, err := read(path)
	if err != nil {
		return o
	}
	doc, err := parseDocument(data, path)
	if err != nil {
		return o
	}
	o.Sources, o.Sinks, o.Jobs = names(plain(doc.root, "sources")), names(plain(doc.root, "sinks")), names(plain(doc.root, "jobs"))
	for _, job := range o.Jobs {
		o.Skills = append(o.Skills, listed(plain(plain(plain(doc.root, "jobs"), job), "skills"), path)...)
	}
	slices.SortFunc(o.Skills, func(a, b ListedSkill) int { return strings.Compare(a.ID, b.ID) })
	o.Skills = slices.CompactFunc(o.Skills, func(a, b ListedSkill) bool { return a.ID == b.ID })
	return o
}

// listed returns the skills of a job's list, in place or in the file that is
// named relative to the configuration at path.
func listed(skills *yaml.Node, path string) (all []ListedSkill) {
	entries, _ := source.ParseList(strings.NewReader(strings.Join(texts(plain(skills, "ids")), "\n")), path)
	if file := plain(skills, "file"); file != nil && file.Kind == yaml.ScalarNode {
		list := file.Value
		if !filepath.IsAbs(list) {
			list = filepath.Join(filepath.Dir(path), list)
		}
		more, _ := source.ReadList(list)
		entries = append(entries, more...)
	}
	for _, e := range entries {
		if e.Err == nil {
			all = append(all, ListedSkill{string(e.Skill), e.Label})
		}
	}
	return all
}

// plain returns the value of name in the mapping n, or nil. Unlike [lookup] it
// follows no <<: a file that merges itself has not been found out yet.
func plain(n *yaml.Node, name string) *yaml.Node {
	if n == nil || target(n).Kind != yaml.MappingNode {
		return nil
	}
	for key, value := range pairs(target(n)) {
		if key.Value == name {
			return target(value)
		}
	}
	return nil
}

func names(n *yaml.Node) (all []string) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for key := range pairs(n) {
		if namePattern.MatchString(key.Value) {
			all = append(all, key.Value)
		}
	}
	slices.Sort(all)
	return all
}

func texts(n *yaml.Node) (all []string) {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	for _, element := range n.Content {
		all = append(all, target(element).Value)
	}
	return all
}

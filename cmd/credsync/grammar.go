package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/credsync/credsync/internal/suggest"
)

// What kong says of a command line that is none, which names types and tokens.
// Where its words change, they come through as they are, and a test says so.
var (
	noValue     = regexp.MustCompile(`^--([\w-]+): (?:expected .* value but got "EOL"|missing value)`)
	notOneOf    = regexp.MustCompile(`^--([\w-]+) must be one of (.*) but got "(.*)"$`)
	notOfType   = regexp.MustCompile(`^--([\w-]+): expected (?:a valid )?(.*?)(?: value)? but got "([^"]*)"`)
	notBool     = regexp.MustCompile(`^--([\w-]+): bool value must be`)
	missing     = regexp.MustCompile(`^missing flags: (.*)$`)
	unknownFlag = regexp.MustCompile(`^unknown flag (-\S+?)(?:, did you mean .*)?$`)
	unexpected  = regexp.MustCompile(`^unexpected argument (.+?)(?:, did you mean .*)?$`)
	unfinished  = regexp.MustCompile(`^expected (?:one of )?"`)
)

// explainUsage says in words of ours what is wrong with a command line.
func explainUsage(parser *kong.Kong, err error) string {
	text := err.Error()
	at := parser.Model.Node
	if parse, ok := errors.AsType[*kong.ParseError](err); ok {
		for _, p := range parse.Context.Path {
			if p.Command != nil {
				at = p.Command
			}
		}
	}
	switch {
	case noValue.MatchString(text):
		name := noValue.FindStringSubmatch(text)[1]
		return fmt.Sprintf("--%s needs a value: %s", name, usageOf(at, name))
	case notOneOf.MatchString(text):
		m := notOneOf.FindStringSubmatch(text)
		known := strings.Split(strings.ReplaceAll(m[2], `"`, ""), ",")
		known = slices.DeleteFunc(known, func(value string) bool { return value == "" })
		return fmt.Sprintf("--%s can't be %q; %s", m[1], m[3], suggest.Hint(m[3], known, "there are"))
	case notBool.MatchString(text):
		return fmt.Sprintf("--%s takes no value", notBool.FindStringSubmatch(text)[1])
	case notOfType.MatchString(text):
		m := notOfType.FindStringSubmatch(text)
		return fmt.Sprintf("--%s takes %s, not %q", m[1], kind(m[2]), m[3])
	case missing.MatchString(text):
		return fmt.Sprintf("%s needs %s; see credsync %s --help", pathOf(at), missing.FindStringSubmatch(text)[1], pathOf(at))
	case unknownFlag.MatchString(text):
		return noFlag(at, unknownFlag.FindStringSubmatch(text)[1])
	case unexpected.MatchString(text):
		return noArgument(at, unexpected.FindStringSubmatch(text)[1])
	case unfinished.MatchString(text) && at != parser.Model.Node:
		return fmt.Sprintf("%s needs a command behind it: %s", pathOf(at), strings.Join(commands(at), ", "))
	}
	return text
}

// kind names a type as people do.
func kind(kongs string) string {
	switch {
	case strings.Contains(kongs, "int"):
		return "a whole number"
	case strings.Contains(kongs, "float"):
		return "a number"
	case strings.Contains(kongs, "duration"):
		return "a duration like 90s or 10m"
	}
	return "a " + kongs
}

// usageOf returns how the flag is written, and what it is for.
func usageOf(at *kong.Node, name string) string {
	for _, f := range flags(at) {
		if f.Name == name {
			return fmt.Sprintf("--%s=%s (%s)", name, f.FormatPlaceHolder(), strings.TrimSuffix(f.Help, "."))
		}
	}
	return "--" + name + "=…"
}

func noFlag(at *kong.Node, flag string) string {
	var known []string
	for _, f := range flags(at) {
		known = append(known, "--"+f.Name)
	}
	hint := "see its --help"
	if meant := suggest.Nearest(flag, known); meant != "" {
		hint = fmt.Sprintf("did you mean %s?", meant)
	}
	if path := pathOf(at); path != "" {
		return fmt.Sprintf("%s has no flag %s; %s", path, flag, hint)
	}
	return fmt.Sprintf("there is no flag %s; %s", flag, hint)
}

func noArgument(at *kong.Node, argument string) string {
	known := commands(at)
	if len(known) > 0 {
		return fmt.Sprintf("there is no command %q; %s", strings.TrimSpace(pathOf(at)+" "+argument), suggest.Hint(argument, known, "commands"))
	}
	return fmt.Sprintf("%s takes no argument %q; see credsync %[1]s --help", pathOf(at), argument)
}

// flags returns the flags that may stand behind at.
func flags(at *kong.Node) (all []*kong.Flag) {
	for _, group := range at.AllFlags(true) {
		all = append(all, group...)
	}
	return all
}

func commands(at *kong.Node) (names []string) {
	for _, c := range at.Children {
		if c.Type == kong.CommandNode && !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return names
}

// pathOf returns the command as it is typed behind credsync.
func pathOf(at *kong.Node) string {
	if at.Parent == nil {
		return ""
	}
	return strings.TrimSpace(pathOf(at.Parent) + " " + at.Name)
}

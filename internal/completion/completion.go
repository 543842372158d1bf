// Package completion answers what a shell asks when somebody presses Tab: what
// could stand at the cursor. The grammar of the command line is kong's model of
// it, so that a new command or flag is complete as soon as it exists.
//
// A shell has a short script (see [Script]) that hands over the words typed so
// far and offers the [Answer]. A value is completed by its enum, or by the tag
// complete of its field: file, directory, or a kind of name that the caller
// knows.
package completion

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// A Candidate is a word that could stand at the cursor.
type Candidate struct {
	Value string
	Help  string // one line; may be empty
}

// Kinds of values whose candidates the shell knows best.
const (
	File      = "file"
	Directory = "directory"
)

// An Answer is what could stand at the cursor.
type Answer struct {
	Candidates []Candidate
	Paths      string // File or Directory: the shell's own candidates as well
}

// A Names returns the names of one kind, which is what a tag complete says.
// Given are the values of the flags typed so far, by the flags' names.
type Names func(kind string, given map[string][]string) []Candidate

// Complete answers what could stand in the place of the last of words, which are
// those behind the name of the program, up to the cursor. With no words there is
// no answer.
func Complete(app *kong.Node, words []string, names Names) Answer {
	if len(words) == 0 {
		return Answer{}
	}
	words, current := words[:len(words)-1], words[len(words)-1]
	l := &line{node: app, given: make(map[string][]string)}
	for _, word := range words {
		l.take(word)
	}
	if current == "=" && l.last != nil { // bash makes two words of --flag=
		current = ""
	}
	return l.answer(current, names)
}

// Print writes a to w as the scripts read it: a candidate a line, with a tab
// before its help, and what the shell is to add by itself behind a colon.
func (a Answer) Print(w io.Writer) error {
	var b strings.Builder
	for _, c := range a.Candidates {
		fmt.Fprintf(&b, "%s\t%s\n", c.Value, c.Help)
	}
	if a.Paths != "" {
		fmt.Fprintf(&b, ":%s\n", a.Paths)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// answer says what may stand where current does.
func (l *line) answer(current string, names Names) (a Answer) {
	flag, _, attached := strings.Cut(current, "=")
	switch {
	case l.awaits != nil:
		a = l.values(l.awaits.Value, "", names)
	case !l.plain && attached && l.flag(flag) != nil:
		a = l.values(l.flag(flag).Value, flag+"=", names)
	case !l.plain && strings.HasPrefix(current, "-"):
		a.Candidates = l.flags()
	default:
		a = l.positionals(names)
	}
	a.Candidates = slices.DeleteFunc(a.Candidates, func(c Candidate) bool { return !strings.HasPrefix(c.Value, current) })
	return a
}

// values returns the candidates for v, each behind prefix.
func (l *line) values(v *kong.Value, prefix string, names Names) (a Answer) {
	kind := v.Tag.Get("complete")
	switch {
	case v.Enum != "":
		for _, value := range v.EnumSlice() {
			a.Candidates = append(a.Candidates, Candidate{Value: prefix + value})
		}
	case kind == File || kind == Directory:
		a.Paths = kind
	case kind != "":
		for _, c := range names(kind, l.given) {
			a.Candidates = append(a.Candidates, Candidate{prefix + c.Value, c.Help})
		}
	}
	return a
}

// positionals returns the commands that may follow, or the values of the next
// argument.
func (l *line) positionals(names Names) (a Answer) {
	if !l.plain {
		for _, child := range l.node.Children {
			if !child.Hidden {
				a.Candidates = append(a.Candidates, Candidate{child.Name, firstLine(child.Help)})
			}
		}
	}
	if arg := l.argument(); arg != nil {
		more := l.values(arg, "", names)
		a.Candidates, a.Paths = append(a.Candidates, more.Candidates...), more.Paths
	}
	return a
}

// flags returns the flags that may still be given, the command's own first.
func (l *line) flags() (candidates []Candidate) {
	for node := l.node; node != nil; node = node.Parent {
		for _, f := range node.Flags {
			if _, given := l.given[f.Name]; f.Hidden || given && !f.IsCumulative() {
				continue
			}
			candidates = append(candidates, Candidate{"--" + f.Name, firstLine(f.Help)})
		}
	}
	return candidates
}

func firstLine(help string) string {
	help, _, _ = strings.Cut(help, "\n")
	return help
}

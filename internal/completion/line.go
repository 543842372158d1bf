package completion

import (
	"strings"

	"github.com/alecthomas/kong"
)

// A line is what the words before the cursor come to.
type line struct {
	node   *kong.Node          // the command so far
	plain  bool                // a -- was seen: no more flags or commands
	args   int                 // arguments of node so far
	awaits *kong.Flag          // the flag whose value comes next
	given  map[string][]string // flags by name; the values of those that take one
	last   *kong.Flag          // the word before was this flag, and nothing else
}

// take reads one more word. Wrong ones are passed over: to say so is up to the
// command when it runs.
func (l *line) take(word string) {
	last := l.last
	l.last = nil
	switch {
	case word == "=" && last != nil: // bash makes three words of --flag=value
	case l.awaits != nil:
		l.set(l.awaits, word)
		l.awaits = nil
	case !l.plain && word == "--":
		l.plain = true
	case !l.plain && strings.HasPrefix(word, "-") && word != "-":
		l.takeFlag(word)
	default:
		l.takeArgument(word)
	}
}

func (l *line) takeFlag(word string) {
	name, value, attached := strings.Cut(word, "=")
	f := l.flag(name)
	if f == nil && !strings.HasPrefix(word, "--") { // -cPATH
		attached, value = true, word[2:]
		f = l.flag(word[:2])
	}
	switch {
	case f == nil:
	case f.IsBool() || f.IsCounter():
		l.given[f.Name] = nil
	case attached:
		l.set(f, value)
	default:
		l.awaits, l.last = f, f
	}
}

func (l *line) takeArgument(word string) {
	if !l.plain {
		for _, child := range l.node.Children {
			if child.Name == word {
				l.node, l.args = child, 0
				return
			}
		}
	}
	l.args++
}

func (l *line) set(f *kong.Flag, value string) {
	l.given[f.Name] = append(l.given[f.Name], value)
}

// flag finds --name or -n among those of the command and of the ones above it.
func (l *line) flag(word string) *kong.Flag {
	for node := l.node; node != nil; node = node.Parent {
		for _, f := range node.Flags {
			if word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short) {
				return f
			}
		}
	}
	return nil
}

// argument returns the positional that the next argument would be, or nil.
func (l *line) argument() *kong.Positional {
	all := l.node.Positional
	if l.args < len(all) {
		return all[l.args]
	}
	if n := len(all); n > 0 && all[n-1].IsCumulative() {
		return all[n-1]
	}
	return nil
}

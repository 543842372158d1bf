package main

import (
	"io"
	"os"
	"strings"
)

// A look is what a terminal can show. The zero look is plain ASCII, as a file or
// another program gets it.
type look struct {
	color   bool
	unicode bool
}

// lookOf returns what can be shown at w: colours unless NO_COLOR is set
// (no-color.org) or the terminal is dumb, and signs where the locale is UTF-8.
func lookOf(w io.Writer) look {
	if !isTerminal(w) {
		return look{}
	}
	return look{
		color:   os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		unicode: isUTF8(os.Getenv),
	}
}

// isUTF8 reports whether the locale is one of UTF-8. The first of the variables
// that is set counts (POSIX: Environment Variables §8.2). Windows' terminals are.
func isUTF8(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(env(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return env("OS") == "Windows_NT"
}

// A tint is a colour by what it says.
type tint string

// The tints, as ANSI colours that a terminal's own theme decides on (ECMA-48 SGR).
const (
	good    tint = "32"
	change  tint = "33"
	special tint = "35"
	bad     tint = "31"
	faint   tint = "2"
)

// paint returns text in that tint, where there are colours.
func (l look) paint(t tint, text string) string {
	if !l.color || text == "" {
		return text
	}
	return "\x1b[" + string(t) + "m" + text + "\x1b[0m"
}

// A mark says at the beginning of a line how something went, in four columns.
type mark struct {
	plain, sign string
	tint        tint
}

var (
	markOK    = mark{"ok  ", "✓   ", good}
	markFail  = mark{"FAIL", "✗   ", bad}
	markUntil = mark{"-   ", "-   ", faint}
)

func (l look) mark(m mark) string {
	if l.unicode {
		return m.sign
	}
	return m.plain
}

// paintMarks paints the marks that lines of text begin with.
func (l look) paintMarks(text string) string {
	if !l.color {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		for _, m := range []mark{markOK, markFail, markUntil} {
			if rest, ok := strings.CutPrefix(line, l.mark(m)); ok {
				line = l.paint(m.tint, l.mark(m)) + rest
				break
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

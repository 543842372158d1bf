package main

import (
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// width is what output is made for where it goes to no terminal, in columns.
const width = 80

// The narrowest terminal that output fits, and the widest that it makes use of.
const (
	narrowest = 50
	widest    = 120
)

// columns returns how wide output to w may be.
func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return width
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil || n <= 0 {
		return width
	}
	return min(max(n, narrowest), widest)
}

// printable takes out of s what could act on a terminal or end a line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

// cell returns s, printable, in exactly n columns.
func cell(s string, n int) string {
	s = clip(s, n)
	return s + strings.Repeat(" ", n-uniseg.StringWidth(s))
}

// clip returns s, printable, in n columns at most.
func clip(s string, n int) string {
	s = printable(s)
	if uniseg.StringWidth(s) <= n {
		return s
	}
	var b strings.Builder
	used := 0
	for g := uniseg.NewGraphemes(s); g.Next() && used+g.Width() < n; used += g.Width() {
		b.WriteString(g.Str())
	}
	return b.String() + "…"
}

// wrap breaks the lines of text at spaces so that they fit n columns. What follows a
// break is indented. A word that is longer stays whole, and so does a line that
// begins with a command to copy.
func wrap(text string, n int) string {
	const indent = "    "
	var b strings.Builder
	for rest := range strings.Lines(text) {
		line := ""
		for i, word := range strings.SplitAfter(rest, " ") {
			fits := uniseg.StringWidth(line+strings.TrimRight(word, " \n")) <= n
			if i > 0 && !fits && strings.TrimSpace(line) != "" && !strings.HasPrefix(strings.TrimSpace(rest), "credsync ") {
				b.WriteString(strings.TrimRight(line, " ") + "\n")
				line = indent
			}
			line += word
		}
		b.WriteString(line)
	}
	return b.String()
}

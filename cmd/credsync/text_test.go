package main

import (
	"strings"
	"testing"

	"github.com/rivo/uniseg"
)

func TestTextFitsTheTerminal(t *testing.T) {
	for name, s := range map[string]string{
		"long":          strings.Repeat("a", 60),
		"wide":          strings.Repeat("漢", 30),
		"combining":     strings.Repeat("e\u0301", 50),
		"an escape":     "\x1b[31mred\x1b[0m and some more of it, and more",
		"a C1 control":  "\u009b31mred and some more of it, and even more",
		"a new line":    "one\ntwo",
		"right-to-left": "\u202eabc",
		"short":         "a",
	} {
		got := cell(s, 20)
		if w := uniseg.StringWidth(got); w != 20 {
			t.Errorf("%s: %d columns: %q", name, w, got)
		}
		if strings.ContainsAny(got, "\x1b\u009b\n\u202e") {
			t.Errorf("%s: acts on a terminal: %q", name, got)
		}
	}
}

func TestWrapBreaksAtSpacesAndLeavesCommandsWhole(t *testing.T) {
	command := "  credsync -c /a/path/of/some/length.yaml sync --job production --accept-plan 0123456789abcdef\n"
	text := strings.Repeat("some words ", 20) + "\n" + command + "unbroken-" + strings.Repeat("x", 90) + "\nlast\n"
	got := wrap(text, width)
	if !strings.Contains(got, command) || !strings.HasSuffix(got, "\nlast\n") {
		t.Errorf("got:\n%s", got)
	}
	for line := range strings.Lines(got) {
		if len(line) > 81 && !strings.Contains(line, "credsync") && !strings.Contains(line, "unbroken") {
			t.Errorf("%d columns: %q", len(line), line)
		}
	}
	if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(text), " ") {
		t.Error("words were lost")
	}
}

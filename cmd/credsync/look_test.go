package main

import (
	"strings"
	"testing"

	"github.com/rivo/uniseg"

	"github.com/credsync/credsync/internal/syncer"
)

func TestUTF8(t *testing.T) {
	for name, tt := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"by LANG":                {map[string]string{"LANG": "en_US.UTF-8"}, true},
		"in other letters":       {map[string]string{"LC_CTYPE": "C.utf8"}, true},
		"LC_ALL wins":            {map[string]string{"LC_ALL": "C", "LANG": "en_US.UTF-8"}, false},
		"nothing":                {nil, false},
		"Windows":                {map[string]string{"OS": "Windows_NT"}, true},
		"a locale of old":        {map[string]string{"LANG": "de_DE.ISO-8859-1"}, false},
		"an empty one is passed": {map[string]string{"LC_ALL": "", "LANG": "C.UTF-8"}, true},
	} {
		if got := isUTF8(func(k string) string { return tt.env[k] }); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestRowsFit(t *testing.T) {
	for _, columns := range []int{50, 60, 80, 120} {
		for _, l := range []look{{}, {color: true, unicode: true}} {
			g := grid{columns: columns, skill: 20, sink: 8, signs: true, look: l}
			for outcome := range signs {
				row := g.row(outcome, strings.Repeat("語", 40), "vault-of-many-names", string(outcome), strings.Repeat("detail ", 30))
				plain := row
				for _, s := range signs {
					plain = strings.ReplaceAll(plain, "\x1b["+string(s.tint)+"m", "")
				}
				plain = strings.ReplaceAll(plain, "\x1b[0m", "")
				if w := uniseg.StringWidth(strings.TrimSuffix(plain, "\n")); w > columns {
					t.Errorf("%d columns in %d: %q", w, columns, plain)
				}
				if l.color == (plain == row) {
					t.Errorf("colours: %q", row)
				}
			}
		}
	}
	g := grid{columns: 80, skill: 20, sink: 8, signs: true}
	if row := g.row(syncer.Updated, "kitchen", "disk", "updated", "now version 3"); !strings.HasPrefix(row, "~ kitchen ") {
		t.Errorf("%q", row)
	}
}

func TestBrowserOfThisMachine(t *testing.T) {
	for name, tt := range map[string]struct {
		system string
		env    map[string]string
		want   string
	}{
		"one's own":    {"linux", map[string]string{"BROWSER": "lynx"}, "lynx"},
		"X":            {"linux", map[string]string{"DISPLAY": ":0"}, "xdg-open"},
		"Wayland":      {"freebsd", map[string]string{"WAYLAND_DISPLAY": "w"}, "xdg-open"},
		"none by SSH":  {"linux", nil, ""},
		"macOS":        {"darwin", nil, "open"},
		"Windows":      {"windows", nil, "rundll32 url.dll,FileProtocolHandler"},
		"own on macOS": {"darwin", map[string]string{"BROWSER": "firefox"}, "firefox"},
	} {
		if got := strings.Join(browser(tt.system, func(k string) string { return tt.env[k] }), " "); got != tt.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

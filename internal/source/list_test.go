package source_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

const (
	a = "amzn1.ask.skill.aaaaaaaa-89ab-cdef-0123-456789abcdef"
	b = "amzn1.ask.skill.bbbbbbbb-89ab-cdef-0123-456789abcdef"
)

// A line is an entry as a test writes it down.
type line struct {
	Skill, Label, Where string
	Bad                 bool
}

func lines(entries []source.Entry) []line {
	var all []line
	for _, e := range entries {
		all = append(all, line{string(e.Skill), e.Label, e.Where.String(), e.Err != nil})
	}
	return all
}

func TestParseList(t *testing.T) {
	tests := map[string]struct {
		text string
		want []line
	}{
		"one":                 {a, []line{{a, "", "f:1", false}}},
		"two":                 {a + "\n" + b + "\n", []line{{a, "", "f:1", false}, {b, "", "f:2", false}}},
		"CRLF":                {a + " x\r\n\r\n" + b + "\r\n", []line{{a, "x", "f:1", false}, {b, "", "f:3", false}}},
		"BOM":                 {"\ufeff" + a + "\n", []line{{a, "", "f:1", false}}},
		"BOM before a remark": {"\ufeff# remark\n" + a, []line{{a, "", "f:2", false}}},
		"labels":              {a + " weather\n" + b + "\tnews of the  day \n", []line{{a, "weather", "f:1", false}, {b, "news of the  day", "f:2", false}}},
		"tabs":                {"\t" + a + " \t x\n\t\t\n" + b + "\t\ty", []line{{a, "x", "f:1", false}, {b, "y", "f:3", false}}},
		"remarks":             {"# " + a + "\n" + a + " x # y\n  #\n" + b + "#z", []line{{a, "x", "f:2", false}, {b, "", "f:4", false}}},
		"bad ID":              {"amzn1/x label\n" + a, []line{{"", "label", "f:1", true}, {a, "", "f:2", false}}},
		"quoted ID":           {`"` + a + `"`, []line{{"", "", "f:1", true}}},
		"comma":               {a + "," + b, []line{{"", "", "f:1", true}}},
		"twice":               {a + " x\n" + b + "\n" + a + " y", []line{{a, "x", "f:1", false}, {b, "", "f:2", false}, {a, "y", "f:3", true}}},
		"three times":         {a + "\n" + a + "\n" + a, []line{{a, "", "f:1", false}, {a, "", "f:2", true}, {a, "", "f:3", true}}},
		"bad ID twice":        {"?\n?", []line{{"", "", "f:1", true}, {"", "", "f:2", true}}},
		"not UTF-8":           {a + " caf\xe9\n" + b, []line{{"", "caf\xe9", "f:1", true}, {b, "", "f:2", false}}},
		"NUL":                 {a + " x\x00y\n" + b, []line{{"", "x\x00y", "f:1", true}, {b, "", "f:2", false}}},
		"escape sequence":     {a + " \x1b[31m", []line{{"", "\x1b[31m", "f:1", true}}},
		"no-break space":      {a + "\u00a0x", []line{{"", "", "f:1", true}}},
		"ID too long":         {strings.Repeat("x", 256), []line{{"", "", "f:1", true}}},
		"label in UTF-8":      {a + " wörter", []line{{a, "wörter", "f:1", false}}},
		"last without end":    {a + "\n" + b, []line{{a, "", "f:1", false}, {b, "", "f:2", false}}},
		"old Mac ends":        {a + "\r" + b, []line{{"", "", "f:1", true}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := source.ParseList(strings.NewReader(tt.text), "f")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(lines(got), tt.want); diff != "" {
				t.Error(diff)
			}
			for _, e := range got {
				if e.Err != nil && !strings.HasPrefix(e.Err.Error(), e.Where.String()+": ") {
					t.Errorf("%q does not begin with the place", e.Err)
				}
				if e.Err != nil && strings.ContainsAny(e.Err.Error(), "\x00\x1b\n\r") {
					t.Errorf("%q is not one clean line", e.Err)
				}
			}
		})
	}
}

func TestADuplicateNamesTheFirst(t *testing.T) {
	got, err := source.ParseList(strings.NewReader("# x\n"+a+"\n"+a), "f")
	if err != nil || len(got) != 2 || got[1].Err == nil || !strings.Contains(got[1].Err.Error(), "f:2") {
		t.Errorf("got %v, %v", got, err)
	}
}

// Nothing is never taken for an intent.
func TestNoListIsAnError(t *testing.T) {
	for name, r := range map[string]io.Reader{
		"empty": strings.NewReader(""), "blank": strings.NewReader(" \n\t\r\n"), "remarks": strings.NewReader("# " + a + "\n#"), "BOM": strings.NewReader("\ufeff"),
		"long line": strings.NewReader(a + "\n" + strings.Repeat("x", 5000) + "\n" + b), "binary": strings.NewReader(strings.Repeat("\x7fELF", 5000)),
		"torn": iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(a + "\n" + b))), "broken": iotest.ErrReader(errors.New("disk on fire")),
	} {
		got, err := source.ParseList(r, "f")
		if err == nil || got != nil || !strings.HasPrefix(err.Error(), "skill list f: ") || strings.Count(err.Error(), "; ") != 1 {
			t.Errorf("%s: got %v, %v, want an error that names the list and the way out", name, got, err)
		}
	}
}

func TestReadList(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "skills.txt")
	if err := os.WriteFile(path, []byte(a), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := source.ReadList(path)
	if err != nil || len(got) != 1 || got[0].Skill != credential.SkillID(a) || got[0].Where.String() != path+":1" {
		t.Errorf("got %v, %v", got, err)
	}
	for name, path := range map[string]string{"missing": filepath.Join(dir, "none"), "directory": dir, "below a file": filepath.Join(path, "x")} {
		got, err := source.ReadList(path)
		if err == nil || got != nil || strings.Count(err.Error(), path) != 1 || !strings.HasSuffix(err.Error(), "; write one skill ID per line into it, or correct skills.file of the job") {
			t.Errorf("%s: got %v, %v, want an error that names the path once, and the way out", name, got, err)
		}
	}
}

func FuzzParseList(f *testing.F) {
	for _, s := range []string{a + " x\n" + b + "\ty # z\r\n", "\ufeff#\n\xff", a + "\n" + a, "\x00 \t"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		entries, err := source.ParseList(strings.NewReader(s), "f")
		if (err == nil) != (len(entries) > 0) {
			t.Fatalf("got %d entries and %v", len(entries), err)
		}
		seen := map[credential.SkillID]bool{}
		for _, e := range entries {
			if e.Err != nil {
				continue
			}
			if _, err := credential.ParseSkillID(string(e.Skill)); err != nil || seen[e.Skill] || strings.ContainsAny(e.Label, "#\n\r\t\x00") && !strings.Contains(e.Label, " ") {
				t.Errorf("%q gave the entry %+v", s, e)
			}
			seen[e.Skill] = true
		}
	})
}

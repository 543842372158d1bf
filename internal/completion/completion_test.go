package completion

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

type grammar struct {
	Level string   `short:"l" enum:"low,high" default:"low"`
	Tags  []string `complete:"tag"`
	Loud  bool     `short:"v"`
	Inner struct {
		Go struct {
			Where string `arg:"" complete:"directory"`
		} `cmd:""`
	} `cmd:""`
}

func model(t testing.TB) *kong.Node {
	t.Helper()
	k, err := kong.New(&grammar{}, kong.Name("it"))
	if err != nil {
		t.Fatal(err)
	}
	return k.Model.Node
}

func tags(kind string, _ map[string][]string) []Candidate {
	return []Candidate{{Value: kind + "1"}, {Value: kind + "2"}}
}

func TestComplete(t *testing.T) {
	app := model(t)
	for words, want := range map[string]string{
		"":                      "inner",
		"in":                    "inner",
		"-l|":                   "low high",
		"--level=|":             "inner",
		"--level=h":             "--level=high",
		"--tags|":               "tag1 tag2",
		"--tags|x|--tags|tag2":  "tag2",
		"-v|--l":                "--level", // not --loud, which -v is
		"--level|low|--t":       "--tags",
		"inner|":                "go",
		"inner|go|":             ":directory",
		"inner|go|here|":        "",
		"inner|go|--l":          "--level --loud",
		"inner|go|-l|":          "low high",
		"inner|go|--|-l":        ":directory",
		"--unknown|inner|":      "go",
		"-llow|inner|":          "go",
		"--level|=|hi":          "high",
		"--level|=":             "low high",
		"--loud=":               "",
		"inner|unknown|--tags=": "--tags=tag1 --tags=tag2",
	} {
		got := Complete(app, strings.Split(words, "|"), tags)
		var all []string
		for _, c := range got.Candidates {
			all = append(all, c.Value)
		}
		if got.Paths != "" {
			all = append(all, ":"+got.Paths)
		}
		if s := strings.Join(all, " "); s != want {
			t.Errorf("%q: %q, want %q", words, s, want)
		}
	}
}

func TestEveryShellHasAScript(t *testing.T) {
	for _, shell := range Shells {
		if script, err := Script(shell); err != nil || !strings.Contains(script, "complete --") {
			t.Errorf("%s: %v\n%s", shell, err, script)
		}
	}
	if _, err := Script("../script"); err == nil {
		t.Error("a script for no shell")
	}
}

// FuzzComplete: whatever is typed, each candidate continues it.
func FuzzComplete(f *testing.F) {
	f.Add("inner|go|--level=h")
	f.Add("-|--|=|=")
	f.Fuzz(func(t *testing.T, typed string) {
		words := strings.Split(typed, "|")
		last := words[len(words)-1]
		for _, c := range Complete(model(t), words, tags).Candidates {
			if last != "=" && !strings.HasPrefix(c.Value, last) {
				t.Errorf("%q is offered for %q", c.Value, last)
			}
		}
	})
}

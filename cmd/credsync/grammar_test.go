package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// shownExamples returns the command lines under Examples: in the help of a command.
func shownExamples(node *kong.Node) (lines []string) {
	_, text, _ := strings.Cut(node.Detail, "Examples:\n")
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "credsync") {
			lines = append(lines, line)
		}
	}
	return lines
}

// Each command shows how it is used, and the grammar takes what it shows.
func TestEveryExampleInTheHelpIsACommandLine(t *testing.T) {
	var c cli
	for _, leaf := range c.parser().Model.Leaves(true) {
		shown := shownExamples(leaf)
		if len(shown) == 0 {
			t.Errorf("%s: no examples", leaf.FullPath())
		}
		for _, line := range shown {
			words := strings.Fields(regexp.MustCompile(` [>|#].*`).ReplaceAllString(line, ""))
			var c cli
			got, err := c.parser().Parse(words[1:])
			if err != nil || words[0] != "credsync" {
				t.Errorf("%s: %v", line, err)
				continue
			}
			if got.Selected().FullPath() != leaf.FullPath() {
				t.Errorf("%s: an example of %s", line, got.Selected().FullPath())
			}
		}
	}
}

func TestWhatIsWrongWithACommandLineIsSaidInPlainWords(t *testing.T) {
	for line, want := range map[string]string{
		"snyc":                  `there is no command "snyc"; did you mean "sync"? commands: `,
		"xyz":                   `there is no command "xyz"; commands: `,
		"audit":                 `audit needs a command behind it: verify`,
		"audit verfy":           `there is no command "audit verfy"; did you mean "verify"?`,
		"sync extra":            `sync takes no argument "extra"; see credsync sync --help`,
		"sync --jb x":           `sync has no flag --jb; did you mean --job?`,
		"sync --nonsense":       `sync has no flag --nonsense; see its --help`,
		"--log-levl debug sync": `there is no flag --log-levl; did you mean --log-level?`,
		"sync --job":            `--job needs a value: --job=JOB (Only this job; may be repeated (default: all))`,
		"sync -o":               `--output needs a value: --output=`,
		"sync -o jsn":           `--output can't be "jsn"; did you mean "json"?`,
		"--log-level loud sync": `--log-level can't be "loud"; there are: debug, info, warn, error`,
		"emulator --skills x":   `--skills takes a whole number, not "x"`,
		"emulator --rate x":     `--rate takes a number, not "x"`,
		"emulator --rate":       `--rate needs a value: --rate=R`,
		"login --timeout 5":     `--timeout takes a duration like 90s or 10m, not "5"`,
		"login --check=maybe":   `--check takes no value`,
		"adopt":                 `adopt needs --sink=S; see credsync adopt --help`,
		"skills":                `skills needs --source=S; see credsync skills --help`,
		"init --sink redis":     `--sink can't be "redis"; there are: vault, aws, file`,
		"check --onlin":         `check has no flag --onlin; did you mean --online?`,
		"sync --accept-plan":    `--accept-plan needs a value: --accept-plan=ID`,
	} {
		var c cli
		parser := c.parser()
		_, err := parser.Parse(strings.Fields(line))
		if err == nil {
			t.Errorf("%s: no error", line)
			continue
		}
		if got := explainUsage(parser, err); !strings.HasPrefix(got, want) {
			t.Errorf("%s:\n%s", line, cmp.Diff(want, got))
		}
	}
}

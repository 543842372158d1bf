package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheCommandsOnThePagesWork runs each line of each shell block of these pages,
// beside a daemon that has synced. It has to end well.
func TestTheCommandsOnThePagesWork(t *testing.T) {
	for _, page := range []string{"upgrade.md", "runbook.md"} {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("../docs", page))
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, 2)
			w.withFiles("{skill_id}.json", nil)
			w.more["http"], w.job["on_start"], w.job["schedule"] = settings{"listen": freeAddress(t)}, true, "0 0 1 1 *"
			w.daemon().says(`"msg":"run finished".*"created":2`)
			w.env = append(w.env, "CREDSYNC_CONFIG="+w.write("credsync.yaml", w.read("e2e.yaml")))
			lines := 0
			for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
				for line := range strings.Lines(block[1]) {
					lines++
					if got := w.sh(line); got.code != 0 {
						t.Errorf("%sexit code %d\n%s%s", line, got.code, got.stdout, got.stderr)
					}
				}
			}
			if lines == 0 {
				t.Error("no command on the page")
			}
		})
	}
}

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheCommandsOnThePagesWork runs each line of each shell block of these pages,
// in a world that has synced. It has to end well.
func TestTheCommandsOnThePagesWork(t *testing.T) {
	for _, page := range []string{"upgrade.md"} {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("../docs", page))
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, 2)
			w.withFiles("{skill_id}.json", nil)
			w.wantSync(0, map[string]int{"created": 2})
			w.write("credsync.yaml", w.read("e2e.yaml"))
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

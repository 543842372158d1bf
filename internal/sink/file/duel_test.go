package file_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/file"
	"github.com/credsync/credsync/internal/sink/sinktest"
)

// TestDuel holds calls up and nothing smaller: a call has the lock from its look
// to its rename. Who writes without the lock comes in
// TestWhoComesBetweenTheLookAndTheRename.
func TestDuel(t *testing.T) {
	c := config(t)
	path := func(name string) string { return filepath.Join(c.Dir, name) }
	old := map[string]string{} // marks, by name
	sinktest.RunDuel(t, sinktest.Duel{
		Sinks: [2]sink.Sink{open(t, c), open(t, c)}, Peek: open(t, c), Form: c.Form(),
		Name:   func(n int) string { return fmt.Sprintf("amzn1.ask.skill.00000000-0000-4000-8000-%012d.json", n) },
		Stored: func(t *testing.T, name string) sinktest.Stored { return stored(t, path(name), nil) },
		Hands: func(t *testing.T, name string) map[string]func(body string) {
			mark := path("." + name + ".credsync")
			skill := credential.SkillID(strings.TrimSuffix(name, ".json"))
			remove := func(path string) func(string) { return func(string) { _ = os.Remove(path) } }
			return map[string]func(body string){
				"writes":           func(body string) { write(t, path(name), body) },
				"writes our value": func(string) { write(t, path(name), `{"client_secret":"a"}`) },
				"removes":          remove(path(name)),
				"removes the mark": remove(mark),
				"keeps the mark": func(string) {
					if b, err := os.ReadFile(mark); err == nil {
						old[name] = string(b)
					}
				},
				"puts an old mark back": func(string) {
					if old[name] != "" {
						write(t, mark, old[name])
					}
				},
				"adopts":     func(string) { adopt(t, c, name, sink.Owner{Instance: "another", Skill: skill}) },
				"gives back": func(string) { adopt(t, c, name, sink.Owner{Instance: "prod", Skill: skill}) },
			}
		},
	})
}

// adopt makes o the owner of the file at name, if there is one.
func adopt(t *testing.T, c file.Config, name string, o sink.Owner) {
	t.Helper()
	s := open(t, c)
	prev, err := s.Inspect(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Adopt(t.Context(), name, o, prev); err != nil && !errors.Is(err, sink.ErrInvalid) {
		t.Fatal(err)
	}
}

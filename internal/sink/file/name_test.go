package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

func TestNames(t *testing.T) {
	for _, row := range []struct {
		what, name string
		ok         bool
	}{
		{"the longest", strings.Repeat("n", 245), true},
		{"too long for its mark", strings.Repeat("n", 246), false},
		{"with dots inside", "a..b", true},
		{"of blanks and signs", "a b;c&d$e", true},
		{"UTF-8", "skill-ünï", true},
		{"empty", "", false},
		{"the directory", ".", false},
		{"the one above", "..", false},
		{"out of the directory", "../x", false},
		{"absolute", "/etc/x", false},
		{"of two elements", "a/b", false},
		{"with a backslash", `a\b`, false},
		{"hidden", ".env", false},
		{"of a mark", ".a.credsync", false},
		{"of the temporary file", temporary, false},
		{"with a NUL", "a\x00b", false},
		{"with a newline", "a\nb", false},
	} {
		t.Run(row.what, func(t *testing.T) {
			c := config(t)
			s := open(t, c)
			r := record(t, c, owner, row.name, "canary")
			_, inspectErr := s.Inspect(t.Context(), row.name)
			_, putErr := s.Put(t.Context(), row.name, r, sink.State{})
			_, adoptErr := s.Adopt(t.Context(), row.name, owner, sink.State{})
			if row.ok {
				if inspectErr != nil || putErr != nil {
					t.Fatalf("got %v, %v", inspectErr, putErr)
				}
				if got := read(t, filepath.Join(c.Dir, row.name)); got != r.Body.Reveal() {
					t.Error("the bytes stored are not those of the record")
				}
				return
			}
			for _, err := range []error{inspectErr, putErr, adoptErr} {
				if !errors.Is(err, sink.ErrInvalid) {
					t.Errorf("got %v, want %v", err, sink.ErrInvalid)
				}
			}
			if entries, _ := os.ReadDir(c.Dir); len(entries) != 0 {
				t.Errorf("got %v in the directory, want nothing", entries)
			}
		})
	}
}

func TestOrphansAreWhatTheTemplateCanRender(t *testing.T) {
	c := config(t)
	s := open(t, c)
	for base, instance := range map[string]string{"a.json": "prod", "b.json": "prod", "a.env": "prod", "c.json": "prod2", "gone.json": "prod"} {
		r := record(t, c, sink.Owner{Instance: instance, Skill: skill}, base, "canary")
		if _, err := s.Put(t.Context(), base, r, sink.State{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(c.Dir, "gone.json")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(c.Dir, "theirs.json"), "theirs")
	write(t, filepath.Join(c.Dir, ".damaged.json.credsync"), "{")
	got, err := s.Orphans(t.Context(), "prod", func(name string) bool { return name == "a.json" })
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := got["b.json"]; !ok || len(got) != 1 {
		t.Errorf("got %v, want b.json alone", got)
	}
}

// TestNoByteOfASecretShows looks at all but the file itself.
func TestNoByteOfASecretShows(t *testing.T) {
	const canary = "canary-of-the-file-sink"
	c := config(t)
	s := open(t, c)
	state := put(t, s, record(t, c, owner, name, canary))
	if mark := read(t, filepath.Join(c.Dir, markName)); strings.Contains(mark, canary) {
		t.Error("the mark holds the secret")
	}
	if strings.Contains(state.Ref+state.Version, canary) {
		t.Error("the State holds the secret")
	}
	c.EncryptTo = []string{newIdentity(t).Recipient().String()}
	s = open(t, c)
	put(t, s, record(t, c, owner, name, canary))
	if sealed := read(t, filepath.Join(c.Dir, name)); !strings.HasPrefix(sealed, "age-encryption.org/v1\n") || strings.Contains(sealed, canary) {
		t.Error("the file is not encrypted")
	}
	other := credential.NewSecret(canary)
	r := record(t, c, owner, name, canary)
	r.Body = other
	if _, err := s.Put(t.Context(), name, r, sink.State{}); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("got %v, want a conflict that holds no secret", err)
	}
}

package file_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/file"
	"github.com/credsync/credsync/internal/sink/sinktest"
)

func TestConformance(t *testing.T) {
	for _, format := range []string{"json", "env"} {
		t.Run(format, func(t *testing.T) {
			sinktest.Run(t, func(t *testing.T) sinktest.Harness {
				return harness(t, file.Config{Name: "{skill_id}.cred", Format: format}, nil)
			})
		})
	}
	t.Run("age", func(t *testing.T) {
		identity := newIdentity(t)
		sinktest.Run(t, func(t *testing.T) sinktest.Harness {
			return harness(t, file.Config{Name: "{skill_id}.cred", EncryptTo: []string{identity.Recipient().String()}}, identity)
		})
	})
}

func newIdentity(t *testing.T) *age.X25519Identity {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// open returns the sink that c describes.
func open(t *testing.T, c file.Config) *file.Sink {
	t.Helper()
	if faults := c.Faults(); len(faults) > 0 {
		t.Fatalf("faults: %+v", faults)
	}
	s, err := file.Open(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// harness returns that of a sink in a new directory; identity opens what is
// encrypted.
func harness(t *testing.T, c file.Config, identity age.Identity) sinktest.Harness {
	c.Dir = filepath.Join(t.TempDir(), "not", "there", "yet")
	path := func(name string) string { return filepath.Join(c.Dir, name) }
	edits := 0
	return sinktest.Harness{
		Sink: open(t, c),
		Form: c.Form(),
		Name: func(n int) string {
			return fmt.Sprintf("amzn1.ask.skill.00000000-0000-4000-8000-%012d.cred", n)
		},
		Stored: func(t *testing.T, name string) sinktest.Stored { return stored(t, path(name), identity) },
		Tamper: func(t *testing.T, name string) {
			edits++
			write(t, path(name), fmt.Sprintf("edit %d", edits))
		},
		Foreign: func(t *testing.T, name, owner string) {
			if owner == "" {
				write(t, path(name), "theirs")
				return
			}
			r := record(t, c, sink.Owner{Instance: owner, Skill: "amzn1.ask.skill.theirs"}, name, "theirs")
			if _, err := open(t, c).Put(t.Context(), name, r, sink.State{}); err != nil {
				t.Fatal(err)
			}
		},
		Claim: func(t *testing.T, name string, owner sink.Owner) {
			write(t, path("."+name+".credsync"), fmt.Sprintf(
				`{"format":1,"owner":%q,"skill":%q,"next":{"version":1,"fingerprint":%q,"digest":%q}}`,
				owner.Instance, owner.Skill, strings.Repeat("0", 64), strings.Repeat("0", 64)))
		},
		MaxBody: file.MaxBody,
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// stored reads the file at path, and the version from its mark.
func stored(t *testing.T, path string, identity age.Identity) sinktest.Stored {
	t.Helper()
	var s sinktest.Stored
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		s = sinktest.Stored{Body: decrypt(t, b, identity), Exists: true}
	case !errors.Is(err, fs.ErrNotExist):
		t.Fatal(err)
	}
	b, err = os.ReadFile(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".credsync"))
	if errors.Is(err, fs.ErrNotExist) {
		return s
	}
	var m struct{ Current struct{ Version int } }
	if err := errors.Join(err, json.Unmarshal(b, &m)); err != nil {
		t.Fatal(err)
	}
	s.Versions = m.Current.Version
	return s
}

// decrypt opens what age encrypted; other bytes are as they are.
func decrypt(t *testing.T, b []byte, identity age.Identity) string {
	t.Helper()
	if identity == nil || !bytes.HasPrefix(b, []byte("age-encryption.org/")) {
		return string(b)
	}
	r, err := age.Decrypt(bytes.NewReader(b), identity)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

package file_test

import (
	"fmt"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/sink/file"
)

func TestFaults(t *testing.T) {
	x25519 := newIdentity(t)
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	good := file.Config{Dir: "/run/secrets", Name: "{skill_id}.json"}
	for _, row := range []struct {
		what   string
		change func(*file.Config)
		want   []string
	}{
		{"nothing", func(*file.Config) {}, nil},
		{"everything set", func(c *file.Config) {
			c.Format, c.Mode, c.DirMode, c.Group = "env", "0640", "0750", "0"
			c.EncryptTo = []string{x25519.Recipient().String()}
		}, nil},
		{"recipients that resist quantum computers", func(c *file.Config) { c.EncryptTo = []string{hybrid.Recipient().String()} }, nil},
		{"all missing", func(c *file.Config) { *c = file.Config{} }, []string{"dir", "name"}},
		{"one name for all", func(c *file.Config) { c.Name = "secret" }, []string{"name"}},
		{"an unknown placeholder", func(c *file.Config) { c.Name = "{skill}" }, []string{"name"}},
		{"a name in a directory", func(c *file.Config) { c.Name = "{instance}/{skill_id}" }, []string{"name"}},
		{"a name out of the directory", func(c *file.Config) { c.Name = "../{skill_id}" }, []string{"name"}},
		{"a hidden name", func(c *file.Config) { c.Name = ".{skill_id}" }, []string{"name"}},
		{"a name too long", func(c *file.Config) { c.Name = strings.Repeat("n", 194) + "{skill_id}" }, []string{"name"}},
		{"a name just short enough", func(c *file.Config) { c.Name = strings.Repeat("n", 193) + "{skill_id}" }, nil},
		{"an unknown format", func(c *file.Config) { c.Format = "toml" }, []string{"format"}},
		{"a mode that is none", func(c *file.Config) { c.Mode = "rw" }, []string{"mode"}},
		{"a decimal mode", func(c *file.Config) { c.Mode = "384" }, []string{"mode"}},
		{"a mode that lets others write", func(c *file.Config) { c.Mode = "0660" }, []string{"mode"}},
		{"a mode that we can't read", func(c *file.Config) { c.Mode = "0200" }, []string{"mode"}},
		{"a directory for everybody", func(c *file.Config) { c.DirMode = "0777" }, []string{"dir_mode"}},
		{"a directory that we can't enter", func(c *file.Config) { c.DirMode = "0600" }, []string{"dir_mode"}},
		{"a group that isn't", func(c *file.Config) { c.Group = "no-such-group" }, []string{"group"}},
		{"a recipient that is none", func(c *file.Config) { c.EncryptTo = []string{x25519.Recipient().String(), "age1nonsense"} }, []string{"encrypt_to.1"}},
		{"a secret key", func(c *file.Config) { c.EncryptTo = []string{x25519.String()} }, []string{"encrypt_to.0"}},
		{"recipients that don't mix", func(c *file.Config) {
			c.EncryptTo = []string{x25519.Recipient().String(), hybrid.Recipient().String()}
		}, []string{"encrypt_to"}},
		{"all at once", func(c *file.Config) { *c = file.Config{Format: "x", Mode: "x", DirMode: "x", Group: "no-such-group"} }, []string{"dir", "name", "format", "mode", "dir_mode", "group"}},
	} {
		t.Run(row.what, func(t *testing.T) {
			c := good
			row.change(&c)
			faults := c.Faults()
			var fields []string
			for _, f := range faults {
				fields = append(fields, f.Field)
				if f.Problem == "" || f.Hint == "" {
					t.Errorf("%s: no problem or no way out: %+v", f.Field, f)
				}
			}
			if diff := cmp.Diff(row.want, fields); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			s, err := file.Open(c, nil)
			if (err == nil) != (len(faults) == 0) || (s == nil) != (err != nil) {
				t.Errorf("Open: got %v beside %d faults", err, len(faults))
			}
			if text := fmt.Sprintf("%+v %v", faults, err); strings.Contains(text, x25519.String()) {
				t.Error("the faults show a secret key")
			}
		})
	}
}

func TestFormTellsEncryptionApart(t *testing.T) {
	one, two := newIdentity(t).Recipient().String(), newIdentity(t).Recipient().String()
	form := func(recipients ...string) string { return file.Config{EncryptTo: recipients}.Form().Scope }
	if form() != "" {
		t.Errorf("got scope %q without encryption, want none", form())
	}
	if form(one, two) != form(two, one) || form(one, one) != form(one) {
		t.Error("the order or the number of recipients changes the scope")
	}
	if form(one) == form(two) || form(one) == form(one, two) || form(one) == "" {
		t.Error("other recipients have the same scope")
	}
}

func TestPlace(t *testing.T) {
	a := file.Config{Dir: "/run/secrets/", Name: "{skill_id}.json"}
	b := file.Config{Dir: "/run/x/../secrets", Name: "{skill_id}.json", Format: "env"}
	if a.Place() != b.Place() {
		t.Errorf("got %q and %q, want one place", a.Place(), b.Place())
	}
	b.Name = "{skill_id}.env"
	if a.Place() == b.Place() {
		t.Errorf("got %q twice, want two places", a.Place())
	}
}

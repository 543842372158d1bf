package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink/file"
	"github.com/credsync/credsync/internal/source/smapi"
)

const small = `
sources: {acme: {smapi: {client_id: a, client_secret: {file: secret}, refresh_token: {file: secret}}}}
sinks: {disk: {file: {dir: out, name: "{skill_id}.json"}}}
jobs: {all: {source: acme, skills: {ids: [amzn1.ask.skill.1 kitchen]}, sinks: [disk]}}
`

func TestWhatIsLeftOutHasADefault(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "/var/lib/credsync:/var/lib/other")
	c, err := load(t, small)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	secret := credential.Ref{File: filepath.Join(dir, "secret")}
	want := &Config{
		Path:     "credsync.yaml",
		Instance: "default",
		StateDir: "/var/lib/credsync",
		Sources:  map[string]Source{"acme": {SMAPI: &smapi.Config{ClientID: "a", ClientSecret: secret, RefreshToken: secret}}},
		Sinks: map[string]Sink{"disk": {
			File:   &file.Config{Dir: filepath.Join(dir, "out"), Name: "{skill_id}.json"},
			Fields: map[string]string{"client_id": "{client_id}", "client_secret": "{client_secret}"},
		}},
		Jobs: map[string]Job{"all": {
			Timeout: 30 * time.Minute, Source: "acme", Sinks: []string{"disk"}, MaxChanges: 20,
			Skills: Skills{IDs: []string{"amzn1.ask.skill.1 kitchen"}},
		}},
	}
	if diff := cmp.Diff(want, c, cmpopts.IgnoreUnexported(Config{}, Skills{}), cmpopts.IgnoreFields(Config{}, "Advice", "SHA256")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	entries, err := c.Jobs["all"].Skills.Entries()
	if err != nil || len(entries) != 1 || entries[0].Label != "kitchen" || entries[0].Where.String() != "credsync.yaml:4" {
		t.Errorf("got %+v, %v", entries, err)
	}
	if zone, err := c.Jobs["all"].Location(); err != nil || zone != time.Local {
		t.Errorf("time zone %v, %v", zone, err)
	}
}

func TestWhatIsWrittenStays(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "/var/lib/credsync")
	c, err := load(t, strings.Replace(small, "sinks: [disk]", "sinks: [disk], max_changes: 0%, timeout: 90s, jitter: 0", 1)+
		"state_dir: \"\"\naudit: {file: audit.jsonl}\n")
	if err != nil {
		t.Fatal(err)
	}
	if j := c.Jobs["all"]; j.MaxChanges != 0 || j.Timeout != 90*time.Second || j.Jitter != 0 {
		t.Errorf("got %+v", j)
	}
	if c.StateDir != "" {
		t.Errorf("state_dir is %q", c.StateDir)
	}
	if len(c.Audit) != 1 || !filepath.IsAbs(c.Audit[0].File) {
		t.Errorf("got %+v", c.Audit)
	}
}

func TestAliasesAndMerges(t *testing.T) {
	c, err := load(t, strings.Replace(small, "jobs: {all: {", "jobs: {all: &all {", 1)+`
audit:
  - &audit {stream: stdout}
`+"")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Audit) != 1 || c.Audit[0].Stream != "stdout" {
		t.Errorf("got %+v", c.Audit)
	}
	c, err = load(t, `
sources: {acme: {smapi: {client_id: a, client_secret: &s {file: secret}, refresh_token: *s}}}
sinks: {disk: {file: {dir: out, name: "{skill_id}.json"}}}
jobs:
  one: &one {source: acme, skills: {vendor: M1}, sinks: [disk], timeout: 5m}
  two:
    <<: *one
    skills: {vendor: M2}
`)
	if err != nil {
		t.Fatal(err)
	}
	one, two := c.Jobs["one"], c.Jobs["two"]
	if two.Timeout != one.Timeout || two.Skills.Vendor != "M2" || two.MaxChanges != 20 {
		t.Errorf("got %+v", two)
	}
}

func TestJSONIsYAML(t *testing.T) {
	_, err := load(t, `{
	"sources": {"acme": {"smapi": {"client_id": "a", "client_secret": {"file": "secret"}, "refresh_token": {"file": "secret"}}}},
	"sinks": {"disk": {"file": {"dir": "out", "name": "{skill_id}.json"}}},
	"jobs": {"all": {"source": "acme", "skills": {"vendor": "M1"}, "sinks": ["disk"], "max_changes": "100%"}}
}`)
	if err != nil {
		t.Fatal(err)
	}
}

func TestAdvice(t *testing.T) {
	c, err := load(t, `
sources:
  acme: &acme {smapi: {client_id: a, client_secret: {file: secret}, refresh_token: {file: secret}}}
  spare: *acme
sinks:
  disk: {file: {dir: out, name: "{skill_id}.json"}, fields: {id: "{client_id}"}}
  spare: {file: {dir: spare, name: "{skill_id}.json"}}
jobs:
  all: {source: acme, skills: {vendor: M1}, sinks: [disk], max_changes: 100%}
http: {listen: ":9464"}
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range c.Advice {
		got = append(got, a.String())
	}
	want := []string{
		"credsync.yaml:4: sources.spare: no job uses this source; remove it, or name it in a job",
		"credsync.yaml:6: sinks.disk.fields: no field holds {client_secret}; add one, unless the secret is not wanted in this sink",
		"credsync.yaml:7: sinks.spare: no job uses this sink; remove it, or name it in a job",
		"credsync.yaml:9: jobs.all: no schedule: credsync run never starts this job; set schedule, or start it with credsync sync",
		"credsync.yaml:9: jobs.all.max_changes: the brake is off; set it lower, so that a mistake at Amazon can't reach all secrets at once",
		"credsync.yaml:10: http.listen: others than this host can reach the status page, which asks for no password; listen on 127.0.0.1, or let a firewall or a proxy decide who may see names of skills and sinks",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A path may hold anything, and a message is one line that a terminal survives.
func TestAProblemIsOneLineThatPrints(t *testing.T) {
	got := Problem{File: "a\nb.yaml", Line: 3, Key: "jobs.ä", Problem: "/etc/s\tcret\x1b[2J: no such file", Hint: "correct\u2028it\x00"}.String()
	if want := `a\nb.yaml:3: jobs.ä: /etc/s\tcret\x1b[2J: no such file; correct\u2028it\x00`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFilesThatAreNoConfiguration(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes and messages of the system differ")
	}
	t.Chdir(t.TempDir())
	write(t, "empty.yaml", " \n\n", 0o600)
	write(t, "latin1.yaml", "instance: caf\xe9\n", 0o600)
	write(t, "large.yaml", strings.Repeat("# "+strings.Repeat("x", 1022)+"\n", 1025), 0o600)
	write(t, "locked.yaml", small, 0)
	for path, want := range map[string]string{
		"none.yaml":            "none.yaml: no such file; write one (credsync init asks for what it needs, and credsync emulator makes one to try), or name another file with -c PATH or $CREDSYNC_CONFIG",
		".":                    ".: a directory; name the file in it, as -c credsync.yaml",
		"empty.yaml":           "empty.yaml: empty; start from configs/minimal.yaml",
		"latin1.yaml":          "latin1.yaml: not UTF-8; save it as UTF-8 text",
		"large.yaml":           "large.yaml: larger than 1 MiB; move lists of skills to files of their own (skills: {file: PATH})",
		"locked.yaml":          "locked.yaml: not readable by this user; run as a user who may read it, give this one the right (chgrp and chmod 640), or name another file with -c PATH or $CREDSYNC_CONFIG",
		"empty.yaml/none.yaml": "empty.yaml/none.yaml: not a directory; name another file with -c PATH or $CREDSYNC_CONFIG",
	} {
		if path == "locked.yaml" && os.Geteuid() == 0 {
			continue // root may read it
		}
		_, err := Load(path)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Error() != want {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
}

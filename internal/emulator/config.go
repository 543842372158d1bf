package emulator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/credsync/credsync/internal/fault"
)

// The files that WriteConfig writes.
const (
	configFile  = "credsync.yaml"
	secretFile  = "client-secret"
	refreshFile = "refresh-token"
	skillsFile  = "skills.txt"
)

// configMark begins a configuration that WriteConfig may write anew.
const configMark = "# Written by `credsync emulator`, which writes it anew on each start"

const configText = configMark + `.
# Delete the line above to keep your changes; the emulator then wants another directory.
#
# Try it, in this directory:
#   credsync -c credsync.yaml plan      # what would be done; nothing is written
#   credsync -c credsync.yaml sync      # do it: one file per skill in secrets/
#   curl -X POST 'BASE/emulator/rotate?n=2'
#   credsync -c credsync.yaml sync      # the two that changed are updated
#
# What else the emulator can do:
#   curl BASE/emulator/

# The owner mark on everything that is written. What bears another one, or none, is not touched.
instance: demo

# Memory between runs: a refresh token that Amazon replaced, the pace it allows. Losing it loses no secret.
state_dir: state

# Where credentials come from: an Amazon developer account, here the emulator.
sources:
  emulator:
    smapi:
      client_id: CLIENT
      client_secret: {file: client-secret}      # a place, never a value; paths start from this file
      refresh_token: {file: refresh-token}
      # Without these three lines it is Amazon.
      api_url: BASE
      token_url: BASE/auth/o2/token
      authorize_url: BASE/ap/oa                 # of credsync login
      requests_per_second: 50                   # where the pace starts; towards Amazon leave it out
      verify: true                              # prove a new pair before it is published

# Where they go.
sinks:
  disk:
    file:
      dir: secrets
      name: "{skill_id}.json"
      format: json

# What goes where, and when.
jobs:
  demo:
    schedule: "@hourly"                         # of "credsync run"; "credsync sync" runs it now
    source: emulator
    skills: {file: skills.txt}                  # or {vendor: VENDOR}: all skills of the account
    sinks: [disk]
    max_changes: 20%                            # with 10 secrets or more, a run that would update more stops and asks
    on_start: true

# What was done, one JSON object a line: "credsync audit verify audit.jsonl" checks the chain.
audit: {file: audit.jsonl}
`

// WriteConfig writes to dir, which it makes where there is none, a configuration
// for credsync that uses a at baseURL, with its secret files and its skill list,
// and returns the path of the configuration. What it wrote before, it writes
// anew; another's files it leaves alone and returns an error.
func WriteConfig(dir, baseURL string, a *Amazon) (path string, err error) {
	path = filepath.Join(dir, configFile)
	ours, err := isOurs(path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("%s: %w", dir, fault.Cause(err))
	}
	files := []struct {
		name, content string
		mode          fs.FileMode
	}{
		// The configuration is last: it is the mark under which the others are ours.
		{secretFile, a.tokens.clientSecret + "\n", 0o600},
		{refreshFile, a.latestRefresh() + "\n", 0o600},
		{skillsFile, a.skillList(), 0o644},
		{configFile, strings.NewReplacer("BASE", baseURL, "CLIENT", a.ClientID(), "VENDOR", a.vendor).Replace(configText), 0o644},
	}
	for _, f := range files {
		if err := mayWrite(filepath.Join(dir, f.name), f.content, ours); err != nil {
			return "", err
		}
	}
	for _, f := range files {
		if err := replaceFile(filepath.Join(dir, f.name), f.content, f.mode); err != nil {
			return "", err
		}
	}
	return path, nil
}

// isOurs reports whether the configuration at path is one of WriteConfig's.
func isOurs(path string) (bool, error) {
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%s: %w", path, fault.Cause(err))
	}
	return strings.HasPrefix(string(b), configMark), nil
}

// mayWrite returns an error where something else stands at path already.
func mayWrite(path, content string, ours bool) error {
	if ours {
		return nil
	}
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && string(b) == content:
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", path, fault.Cause(err))
	}
	return fmt.Errorf("%s exists and is not the emulator's; choose another directory or move it away", path)
}

// replaceFile puts a new file in place of what stands at path, so that its mode
// is the one given whatever was there.
func replaceFile(path, content string, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".emulator-*")
	if err != nil {
		return fmt.Errorf("%s: %w", path, fault.Cause(err))
	}
	_, err = f.WriteString(content)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("%s: %w", path, fault.Cause(err))
	}
	return nil
}

// skillList is a list of all skills with their names as labels, as credsync
// reads them: "amzn1.ask.skill.… amber-almanac".
func (a *Amazon) skillList() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var b strings.Builder
	b.WriteString("# The skills to sync: an ID a line, and a label if you like. Read anew at each run.\n")
	for _, s := range a.skills.all {
		fmt.Fprintf(&b, "%s %s\n", s.id, strings.ToLower(strings.ReplaceAll(s.name, " ", "-")))
	}
	return b.String()
}

func (a *Amazon) latestRefresh() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tokens.latest
}

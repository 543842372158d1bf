package emulator_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/emulator"
	"github.com/credsync/credsync/internal/source"
)

func TestTheConfigurationIsReadyToUse(t *testing.T) {
	a := emulator.New(emulator.Options{Skills: 25})
	dir := filepath.Join(t.TempDir(), "new")
	path, err := emulator.WriteConfig(dir, "http://127.0.0.1:8080", a)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "credsync.yaml"); path != want {
		t.Errorf("path %s, want %s", path, want)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"instance":  "demo",
		"state_dir": "state",
		"sources": map[string]any{"emulator": map[string]any{"smapi": map[string]any{
			"client_id":           a.ClientID(),
			"client_secret":       map[string]any{"file": "client-secret"},
			"refresh_token":       map[string]any{"file": "refresh-token"},
			"api_url":             "http://127.0.0.1:8080",
			"token_url":           "http://127.0.0.1:8080/auth/o2/token",
			"authorize_url":       "http://127.0.0.1:8080/ap/oa",
			"requests_per_second": 50,
			"verify":              true,
		}}},
		"sinks": map[string]any{"disk": map[string]any{"file": map[string]any{"dir": "secrets", "name": "{skill_id}.json", "format": "json"}}},
		"jobs": map[string]any{"demo": map[string]any{
			"schedule": "@hourly", "source": "emulator", "skills": map[string]any{"file": "skills.txt"},
			"sinks": []any{"disk"}, "max_changes": "20%", "on_start": true,
		}},
		"audit": map[string]any{"file": "audit.jsonl"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}

	for file, want := range map[string]credential.Secret{"client-secret": a.ClientSecret(), "refresh-token": a.RefreshToken()} {
		got, err := credential.Ref{File: filepath.Join(dir, file)}.Read()
		if err != nil || !got.Equal(want) {
			t.Errorf("%s: another secret, err = %v", file, err)
		}
	}
	entries, err := source.ReadList(filepath.Join(dir, "skills.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var listed []credential.SkillID
	for _, e := range entries {
		if e.Err != nil || e.Label == "" {
			t.Errorf("%s: label %q, err = %v", e.Where, e.Label, e.Err)
		}
		listed = append(listed, e.Skill)
	}
	if diff := cmp.Diff(a.Skills(), listed); diff != "" {
		t.Errorf("skills (-want +got):\n%s", diff)
	}
}

func TestTheConfigurationIsWrittenAnewInItsDirectory(t *testing.T) {
	dir := t.TempDir()
	for seed := range uint64(2) {
		a := emulator.New(emulator.Options{Skills: 2, Seed: seed})
		if _, err := emulator.WriteConfig(dir, "http://127.0.0.1:1", a); err != nil {
			t.Fatal(err)
		}
		got, err := credential.Ref{File: filepath.Join(dir, "refresh-token")}.Read()
		if err != nil || !got.Equal(a.RefreshToken()) {
			t.Errorf("seed %d: another token, err = %v", seed, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 4 {
		t.Errorf("%v in the directory, err = %v", left, err)
	}
}

func TestOthersFilesAreLeftAlone(t *testing.T) {
	for _, name := range []string{"credsync.yaml", "client-secret", "refresh-token", "skills.txt"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte("mine\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := emulator.WriteConfig(dir, "http://127.0.0.1:1", emulator.New(emulator.Options{}))
			if err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("err = %v, want one that names %s", err, path)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != "mine\n" {
				t.Errorf("%s holds %q, err = %v", name, got, err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
				t.Errorf("%v in the directory, err = %v", left, err)
			}
		})
	}
}

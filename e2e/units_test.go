package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// maxExposure is what systemd-analyze security may say of a service, of 10.
const maxExposure = 1.3

// TestTheUnitsAreInOrder has systemd read the units: to it, a key that it does
// not know is only worth a warning.
func TestTheUnitsAreInOrder(t *testing.T) {
	t.Parallel()
	analyze := systemdAnalyze(t)
	for what, dropin := range map[string]string{
		"as they are": "", "with encrypted credentials": "encrypted-credentials.conf",
	} {
		t.Run(what, func(t *testing.T) {
			units := installedUnits(t, dropin)
			if out := analyze(t, append([]string{"verify", "--man=no"}, units...)...); out != "" {
				t.Errorf("systemd-analyze verify says:\n%s", out)
			}
			for _, unit := range units {
				if !strings.HasSuffix(unit, ".service") {
					continue
				}
				out := analyze(t, "security", "--offline=true", fmt.Sprintf("--threshold=%.0f", 10*maxExposure), unit)
				level := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindStringSubmatch(out)
				if level == nil {
					t.Fatalf("systemd-analyze security gives no level:\n%s", out)
				}
				if n, err := strconv.ParseFloat(level[1], 64); err != nil || n > maxExposure {
					t.Errorf("%s: exposure %s, want %.1f at most", filepath.Base(unit), level[1], maxExposure)
				}
			}
		})
	}
}

// TestAWrongUnitIsFound keeps the test above honest.
func TestAWrongUnitIsFound(t *testing.T) {
	t.Parallel()
	analyze := systemdAnalyze(t)
	units := installedUnits(t, "")
	for _, unit := range units {
		b, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("ProtectHome=", "ProtectHouse=", "OnCalendar=", "OnCalender=").Replace(string(b))
		if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := analyze(t, append([]string{"verify", "--man=no"}, units...)...)
	for _, want := range []string{"ProtectHouse", "OnCalender"} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing is said about %s:\n%s", want, out)
		}
	}
}

// installedUnits copies the units to a directory, with the built binary in the
// place of the installed one, and returns their paths.
func installedUnits(t *testing.T, dropin string) (units []string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"credsync.service", "credsync-sync.service", "credsync-sync.timer"} {
		b, err := os.ReadFile(filepath.Join("../systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(b), "/usr/bin/credsync", program(t, "credsync"))
		files := map[string]string{name: text}
		if dropin != "" && strings.HasSuffix(name, ".service") {
			b, err := os.ReadFile(filepath.Join("../systemd", dropin))
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Join(name+".d", dropin)] = string(b)
		}
		for _, file := range slices.Sorted(maps.Keys(files)) {
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(files[file]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		units = append(units, filepath.Join(dir, name))
	}
	return units
}

// systemdAnalyze returns what runs systemd-analyze and returns all that it says.
func systemdAnalyze(t *testing.T) func(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		missing(t, "systemd-analyze", "install systemd; ./e2e/run does where it may")
	}
	return func(t *testing.T, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Env = append(environment(t.TempDir()), "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=")
		out, err := cmd.CombinedOutput()
		if err != nil && len(out) == 0 {
			t.Fatalf("systemd-analyze %s: %v", args[0], err)
		}
		return string(out)
	}
}

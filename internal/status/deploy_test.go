package status

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const (
	rulesFile     = "../../deploy/prometheus/credsync.rules.yaml"
	dashboardFile = "../../deploy/grafana/credsync.json"
	runbookFile   = "../../docs/runbook.md"
	runbookURL    = "https://github.com/credsync/credsync/blob/main/docs/runbook.md#"
)

// An alert is a rule of rulesFile.
type alert struct {
	Alert, Expr string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func alerts(t *testing.T) (all []alert) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []alert
		}
	}
	data, err := os.ReadFile(rulesFile)
	if err == nil {
		err = yaml.Unmarshal(data, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("no alert")
	}
	return all
}

func TestEveryAlertHasItsEntryInTheRunbook(t *testing.T) {
	runbook, err := os.ReadFile(runbookFile)
	if err != nil {
		t.Fatal(err)
	}
	headings := regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(string(runbook), -1)
	var entries, named []string
	for _, h := range headings {
		entries = append(entries, h[1])
	}
	for _, a := range alerts(t) {
		named = append(named, a.Alert)
		if got, want := a.Annotations["runbook_url"], runbookURL+strings.ToLower(a.Alert); got != want {
			t.Errorf("%s: runbook_url is %q, want %q", a.Alert, got, want)
		}
		for _, text := range []string{a.Annotations["summary"], a.Annotations["description"], a.Labels["severity"]} {
			if text == "" {
				t.Errorf("%s: no summary, description or severity", a.Alert)
			}
		}
	}
	if !slices.Equal(entries, named) {
		t.Errorf("the runbook has %v, the rules %v; want the same in one order", entries, named)
	}
}

func TestRulesAndDashboardNameMetricsThatThereAre(t *testing.T) {
	known := names(t, full(&account{}))
	for _, file := range []string{rulesFile, dashboardFile, "../../deploy/prometheus/credsync.rules.test.yaml"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`\bcredsync_[a-z_]+`).FindAllString(string(data), -1)
		if len(found) < 5 {
			t.Errorf("%s names %v", file, found)
		}
		for _, name := range found {
			if !slices.Contains(known, name) && !slices.Contains(known, strings.TrimSuffix(name, "_bucket")) {
				t.Errorf("%s names %s, which there is not", file, name)
			}
		}
	}
}

func TestTheDashboardIsWellFormed(t *testing.T) {
	data, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		UID    string
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &d); err != nil || d.UID != "credsync" {
		t.Fatal(err)
	}
	seen := make(map[int]bool)
	for _, p := range d.Panels {
		if seen[p.ID] || p.Title == "" || len(p.Targets) == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d %q: no title, no query, a second of that ID, or beyond the edge", p.ID, p.Title)
		}
		seen[p.ID] = true
	}
}

// The rules are tested by promtool, where there is one.
func TestTheAlertRulesPassTheirTests(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is not here; apt-get install prometheus brings it")
	}
	if out, err := exec.Command("../../deploy/prometheus/check").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

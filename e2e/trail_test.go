package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// A recorded is a line of the audit trail.
type recorded struct {
	Event   string
	Run     string
	Skill   string
	Sink    string
	Name    string
	Outcome string
}

// An announced is what an intent and its outcome have in common. Several of one run
// at one name come one after the other.
type announced struct{ run, sink, name string }

// trail returns what the audit file records, less what a crash tore.
func (w *world) trail() (list []recorded) {
	w.Helper()
	for line := range strings.Lines(w.read("audit.jsonl")) {
		var r recorded
		if json.Unmarshal([]byte(line), &r) == nil {
			list = append(list, r)
		}
	}
	return list
}

// balance returns how many intents have no outcome, and how many a later run
// has given one.
func balance(list []recorded) (open, reconciled int) {
	pending := make(map[announced]int)
	for _, r := range list {
		at := announced{r.Run, r.Sink, r.Name}
		switch {
		case r.Event == "write.intent":
			pending[at]++
			open++
		case r.Event == "write.outcome" && pending[at] > 0: // without an intent: it had arrived after all
			pending[at]--
			open--
			if r.Outcome == "reconciled" {
				reconciled++
			}
		}
	}
	return open, reconciled
}

// wantAnnounced wants an intent for each write that the last run has made.
func (d *doomed) wantAnnounced() {
	d.Helper()
	intents := make(map[string]bool)
	for _, r := range d.trail() {
		intents[r.Sink+" "+r.Skill] = intents[r.Sink+" "+r.Skill] || r.Event == "write.intent"
	}
	for skill := range d.said {
		says := d.amazon.pair(skill)
		for _, k := range d.keepers {
			name := k.sink() + " " + skill
			if d.stirred[name] && !intents[name] && pairIn(k.value(skill)) == says {
				d.Errorf("%s was written and never announced", name)
			}
		}
	}
}

// finished returns how many runs the trail has seen the end of.
func (w *world) finished() int {
	trail, _ := os.ReadFile(filepath.Join(w.dir, "audit.jsonl")) // none before the first record
	return bytes.Count(trail, []byte(`"event":"run.finish"`))
}

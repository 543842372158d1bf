package e2e

import (
	"encoding/json"
	"maps"

	"github.com/google/go-cmp/cmp"
)

// A report is what sync and plan print.
type report struct {
	run
	Plan     string
	Outcomes map[string]int
	Requests map[string]int
	Results  []result
	Orphans  []orphan
	Error    string
}

type orphan struct{ Sink, Name, Skill string }

type result struct{ Skill, Sink, Name, Outcome, Version, Reason, Error string }

// sync makes one pass and returns its report.
func (w *world) sync(args ...string) report {
	w.Helper()
	return w.parse(w.credsync(append([]string{"sync", "-o", "json"}, args...)...))
}

func (w *world) parse(ended run) report {
	w.Helper()
	r := report{run: ended}
	if err := json.Unmarshal([]byte(ended.stdout), &r); err != nil {
		w.Fatalf("exit code %d, standard output is not one JSON object: %v\n%s\n%s", ended.code, err, tail(ended.stdout), tail(ended.stderr))
	}
	maps.DeleteFunc(r.Outcomes, func(_ string, n int) bool { return n == 0 })
	return r
}

// wantSync makes one pass that has to end so.
func (w *world) wantSync(code int, outcomes map[string]int) report {
	w.Helper()
	r := w.sync()
	w.want(r, code, outcomes)
	return r
}

func (w *world) want(r report, code int, outcomes map[string]int) {
	w.Helper()
	diff := cmp.Diff(outcomes, r.Outcomes)
	if r.code == code && diff == "" {
		return
	}
	w.Errorf("exit code %d, want %d; outcomes (-want +got):\n%s%s", r.code, code, diff, tail(r.stderr))
	for i, res := range r.troubles() {
		if i < 5 {
			w.Logf("%+v", res)
		}
	}
}

// troubles returns the results that did not go well.
func (r report) troubles() (bad []result) {
	for _, res := range r.Results {
		if res.Reason != "" {
			bad = append(bad, res)
		}
	}
	return bad
}

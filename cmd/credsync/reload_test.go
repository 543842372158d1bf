package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/scale"
)

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// An edition is one of many configurations, no setting of which another has.
type edition struct {
	n      int
	text   string
	skills []string
	jobs   []string
	bad    bool
}

// edition returns the nth: job a is always there, b and c come, change and go.
func (h *house) edition(n int) edition {
	v := edition{n: n, bad: n%7 == 3, jobs: []string{"a"}}
	ids := h.amazon.Skills()
	for i := range 3 {
		v.skills = append(v.skills, string(ids[(n+i)%len(ids)]))
	}
	jobs := fmt.Sprintf(`  a: {schedule: "* * * * *", on_start: true, timeout: 5m, source: amazon, skills: {ids: [%s]}, sinks: [s-%d]}`, strings.Join(v.skills, ", "), n)
	for name, schedule := range map[string]string{"b": "*/2 * * * *", "c": "*/3 * * * *"} {
		if n%3 == 0 == (name == "b") {
			v.jobs = append(v.jobs, name)
			jobs += fmt.Sprintf("\n  %s: {schedule: %q, on_start: true, source: amazon, skills: {ids: [%s]}, sinks: [t-%d], jitter: %ds}", name, schedule, strings.Join(v.skills, ", "), n, n%50)
		}
	}
	sink := func(name string) string {
		return fmt.Sprintf(`  %s-%d: {file: {dir: %s-%d, name: "{skill_id}-%d"}, fields: {id: "{client_id}", secret: "{client_secret}", owner: "{instance}", n: "%d"}}`, name, n, name, n, n, n)
	}
	rate := 0.1 // a run takes half a minute
	if n%20 == 5 {
		rate = 0.2
	}
	v.text = fmt.Sprintf("instance: i-%d\nstate_dir: state\naudit: {file: audit.jsonl}\nsources:\n  amazon: %s\nsinks:\n%s\n%s\njobs:\n%s\n",
		n, h.source(rate), sink("s"), sink("t"), jobs)
	if v.bad {
		v.text = strings.Replace(v.text, "sources:", "sauces:", 1)
	}
	return v
}

func TestReloadsDuringRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 12)
		rng := rand.New(rand.NewPCG(scale.Seed(), 0))
		editions := make(map[string]edition) // by digest
		first := h.edition(1)
		editions[digestOf(first.text)] = first
		h.write("credsync.yaml", first.text)
		h.start(0)
		var goroutines, files int
		reloads := scale.Size(60, 1000)
		for i := range reloads {
			time.Sleep(time.Duration(1+rng.IntN(40_000)) * time.Millisecond)
			v := h.edition(2 + i)
			editions[digestOf(v.text)] = v
			h.hangup(v.text)
			if i == 20 {
				goroutines, files = runtime.NumGoroutine(), descriptors(t)
			}
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if g, f := runtime.NumGoroutine(), descriptors(t); g > goroutines+4 || f > files+4 {
			t.Errorf("%d goroutines and %d descriptors after 20 reloads, %d and %d after %d", goroutines, files, g, f, reloads)
		}
		h.stop()
		runs := h.checkRuns(editions)
		h.checkFiles()
		h.checkSlots("a", time.Minute)
		h.checkAudit(reloads)
		if n := h.logs.FilterMessage("run finished").Len(); n < runs-2 { // those that were stopped at the end
			t.Errorf("%d of %d runs ended well", n, runs)
		}
		t.Logf("%d reloads during %d runs", reloads, runs)
	})
}

// descriptors counts what the process has open, where that can be told.
func descriptors(t *testing.T) int {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Logf("descriptors are not counted: %v", err)
	}
	return len(open)
}

// checkRuns finds runs that are of more than one configuration, or of one that
// was not in force, and runs of one job that overlap.
func (h *house) checkRuns(editions map[string]edition) (runs int) {
	type run struct {
		job     string
		allowed []int // configurations in force when it began, or right after
		n       int   // zero = not known yet
		skills  map[string]bool
	}
	current := 1
	open := make(map[string]*run)
	for _, r := range h.records() {
		text := func(key string) string { s, _ := r[key].(string); return s }
		of := open[text("run")]
		switch text("event") {
		case "config.reload":
			if v := editions[text("version")]; v.bad != (text("outcome") == "failed") {
				h.Errorf("configuration %d (bad: %t): %v", v.n, v.bad, r)
			} else if !v.bad {
				current = v.n
				for _, o := range open { // a run may get on record before the reload that it followed
					o.allowed = append(o.allowed, v.n)
				}
			}
		case "run.start":
			runs++
			for _, o := range open {
				if o.job == text("job") {
					h.Errorf("two runs of job %s at once", o.job)
				}
			}
			open[text("run")] = &run{job: text("job"), allowed: []int{current}, skills: make(map[string]bool)}
			if text("trigger") == "start" && current > 1 {
				h.Errorf("a start by a reload: %v", r)
			}
		case "write.outcome":
			n, _ := strconv.Atoi(text("sink")[2:])
			if of.n == 0 {
				of.n = n
			}
			if of.n != n || !strings.HasSuffix(text("name"), fmt.Sprint("-", n)) || !slices.Contains(of.allowed, n) {
				h.Errorf("a run of configuration %d, begun under %v, wrote %s to %s", of.n, of.allowed, text("name"), text("sink"))
			}
			of.skills[text("skill")] = true
		case "run.finish":
			delete(open, text("run"))
			if of.n == 0 {
				continue // it found everything as it should be
			}
			for _, v := range editions {
				if v.n == of.n && !slices.Equal(slices.Sorted(maps.Keys(of.skills)), slices.Sorted(slices.Values(v.skills))) || v.n == of.n && !slices.Contains(v.jobs, of.job) {
					h.Errorf("job %s of configuration %d has %v and wrote %v", of.job, v.n, v.skills, of.skills)
				}
			}
		}
	}
	return runs
}

// checkFiles finds secrets that were made by one configuration and stored by another.
func (h *house) checkFiles() {
	files, err := filepath.Glob(filepath.Join(h.dir, "[st]-*", "*"))
	if err != nil || len(files) == 0 {
		h.Fatalf("%d files: %v", len(files), err)
	}
	for _, path := range files {
		if strings.HasPrefix(filepath.Base(path), ".") {
			continue // a mark
		}
		b, err := os.ReadFile(path)
		if err != nil {
			h.Fatal(err)
		}
		var fields map[string]string
		if err := json.Unmarshal(b, &fields); err != nil {
			h.Fatal(err)
		}
		n := filepath.Base(filepath.Dir(path))[2:]
		if fields["n"] != n || fields["owner"] != "i-"+n || !strings.HasSuffix(path, "-"+n) {
			h.Errorf("%s holds what configuration %s of %s made", path, fields["n"], fields["owner"])
		}
	}
}

// checkSlots finds slots that neither had a run nor were said to be missed.
func (h *house) checkSlots(job string, period time.Duration) {
	var before time.Time
	for _, e := range h.logs.FilterMessage("run begins").FilterField(zap.String("job", job)).All() {
		f := e.ContextMap()
		slot, missed := f["slot"].(time.Time), f["missed"].(int64)
		if f["trigger"] == "schedule" && !before.IsZero() && !slot.Equal(before.Add(time.Duration(1+missed)*period)) {
			h.Errorf("the run of %s, %d missed, follows that of %s", slot, missed, before)
		}
		before = slot.Truncate(period)
	}
}

// checkAudit sees to it that each reload is on record, and the chain whole.
func (h *house) checkAudit(reloads int) {
	n := 0
	for _, r := range h.records() {
		if r["event"] == "config.reload" {
			n++
		}
	}
	if n != reloads {
		h.Errorf("%d reloads on record, want %d", n, reloads)
	}
	if code := run(h.Context(), []string{"audit", "verify", filepath.Join(h.dir, "audit.jsonl")}, terminal{out: io.Discard, err: io.Discard}); code != exitOK {
		h.Errorf("audit verify: %d", code)
	}
}

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/emulator"
	"github.com/credsync/credsync/internal/scale"
)

// inProcess reaches an Amazon without a network, which a bubble can't have.
type inProcess struct{ *emulator.Amazon }

func (a inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w, in := httptest.NewRecorder(), r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	a.ServeHTTP(w, in)
	return w.Result(), r.Context().Err()
}

// A house is a daemon in a bubble, with an Amazon and a directory of its own.
type house struct {
	*testing.T
	dir     string
	amazon  *emulator.Amazon
	logs    *observer.ObservedLogs
	told    []string // what the service manager was
	service *service
	hangups chan os.Signal
	stop    func()
	said    int // log lines that were looked at
}

// newHouse returns one that nobody has started yet.
func newHouse(t *testing.T, skills int) *house {
	h := &house{T: t, dir: t.TempDir(), amazon: emulator.New(emulator.Options{Skills: skills}), hangups: make(chan os.Signal, 1)}
	h.write("client-secret", h.amazon.ClientSecret().Reveal())
	h.write("refresh-token", h.refreshToken())
	return h
}

func (h *house) refreshToken() string {
	w := httptest.NewRecorder()
	h.amazon.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/emulator/client", nil))
	var client struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &client); err != nil || client.RefreshToken == "" {
		h.Fatalf("no refresh token in %s", w.Body)
	}
	return client.RefreshToken
}

func (h *house) write(name, content string) {
	h.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(content), 0o600); err != nil {
		h.Fatal(err)
	}
}

// source is the configuration of the account, which so many requests a second
// are sent to.
func (h *house) source(rate float64) string {
	return fmt.Sprintf(`{smapi: {client_id: %q, client_secret: {file: client-secret}, refresh_token: {file: refresh-token}, verify: false,
  api_url: "http://127.0.0.1", token_url: "http://127.0.0.1/auth/o2/token", requests_per_second: %g, max_requests_per_second: %g, concurrency: 2}}`,
		h.amazon.ClientID(), rate, rate)
}

// start starts the daemon on the configuration that was written. Its service
// manager wants to hear of it as often as given.
func (h *house) start(watchdog time.Duration) {
	h.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	h.logs = logs
	log := zap.New(core)
	cfg, err := config.Load(filepath.Join(h.dir, "credsync.yaml"))
	if err != nil {
		h.Fatal(err)
	}
	p := newProcess(cfg, log)
	p.amazon = inProcess{h.amazon}
	s, err := open(cfg, p, nil)
	if err != nil {
		h.Fatal(err)
	}
	h.service = newService(s, &manager{log: log, watchdog: watchdog, send: func(state string) error {
		h.told = append(h.told, state)
		return nil
	}})
	first, err := s.generation(h.service.memory)
	if err != nil {
		h.Fatal(err)
	}
	if h.service.trail, err = s.openTrail(daemonPlace(terminal{io.Discard, io.Discard})); err != nil {
		h.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.service.serve(ctx, first, h.hangups)
	}()
	h.stop = func() {
		cancel()
		<-ended
		if err := closeTrail(h.service.trail); err != nil {
			h.Error(err)
		}
		s.close()
	}
	synctest.Wait()
}

// hangup has the daemon read its configuration anew.
func (h *house) hangup(config string) {
	h.Helper()
	h.write("credsync.yaml", config)
	h.hangups <- syscall.SIGHUP
	synctest.Wait()
}

// records returns the audit trail.
func (h *house) records() (all []map[string]any) {
	h.Helper()
	b, err := os.ReadFile(filepath.Join(h.dir, "audit.jsonl"))
	if err != nil {
		h.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			h.Fatalf("%v: %s", err, line)
		}
		all = append(all, r)
	}
	return all
}

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
	if code := run(h.Context(), []string{"audit", "verify", filepath.Join(h.dir, "audit.jsonl")}, io.Discard, io.Discard); code != exitOK {
		h.Errorf("audit verify: %d", code)
	}
}

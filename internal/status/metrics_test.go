package status

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/credsync/credsync/internal/syncer"
)

// An account is a source that says what it is told.
type account struct {
	pace      float64
	throttled int
	denied    error
}

func (a *account) Pace() float64  { return a.pace }
func (a *account) Throttled() int { return a.throttled }
func (a *account) Denied() error  { return a.denied }

// scrape returns the samples of credsync that Prometheus gets from b.
func scrape(t *testing.T, b *Board) map[string]string {
	t.Helper()
	w := get(Handler(b, Options{}), "/metrics")
	if w.Code != 200 {
		t.Fatalf("got %d: %s", w.Code, w.Body)
	}
	samples := make(map[string]string)
	for line := range strings.Lines(w.Body.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok && strings.HasPrefix(line, "credsync_") {
			samples[name+"}"] = value
		} else if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(line, "credsync_") {
			samples[name] = value
		}
	}
	return samples
}

// full is a Board that has something to say of everything.
func full(s *account) *Board {
	b := NewBoard(Build{Version: "v1.2.3", Commit: "abc", Go: "go1"})
	c := settings("vault")
	c.Sources = map[string]LiveSource{"acme": s}
	c.Trail = &fickle{}
	b.Configure(c)
	run(b, syncer.Options{}, result(1, "vault", syncer.Created, ""))
	run(b, syncer.Options{}, result(1, "vault", syncer.Unchanged, ""), result(2, "vault", syncer.Failed, syncer.NotFound))
	b.Waiting("production", time.Now().Add(time.Hour))
	b.Observe("smapi", "credentials", 429, 30*time.Millisecond)
	b.Observe("smapi", "credentials", 0, time.Second)
	return b
}

func TestAScrapeTellsWhatTheBoardKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &account{pace: 5}
		b := full(s)
		got := scrape(t, b)
		now := fmt.Sprintf("%.9e", float64(time.Now().Unix()))
		now = regexp.MustCompile(`0+e`).ReplaceAllString(now, "e")
		for name, want := range map[string]string{
			`credsync_build_info{commit="abc",goversion="go1",version="v1.2.3"}`:                        "1",
			`credsync_results_total{job="production",outcome="created",reason="",sink="vault"}`:         "1",
			`credsync_results_total{job="production",outcome="failed",reason="not_found",sink="vault"}`: "1",
			`credsync_results_total{job="production",outcome="failed",reason="denied",sink="vault"}`:    "0",
			`credsync_results_total{job="production",outcome="refused",reason="brake",sink="vault"}`:    "0",
			`credsync_runs_total{job="production",result="ok"}`:                                         "1",
			`credsync_runs_total{job="production",result="partial"}`:                                    "1",
			`credsync_runs_total{job="production",result="failed"}`:                                     "0",
			`credsync_run_duration_seconds_count{job="production"}`:                                     "2",
			`credsync_names{job="production",outcome="unchanged",reason="",sink="vault"}`:               "1",
			`credsync_names{job="production",outcome="created",reason="",sink="vault"}`:                 "0",
			`credsync_names{job="production",outcome="failed",reason="not_found",sink="vault"}`:         "1",
			`credsync_skills{job="production"}`:                                                         "2",
			`credsync_orphans{job="production"}`:                                                        "0",
			`credsync_job_overdue{job="production"}`:                                                    "0",
			`credsync_job_running{job="production"}`:                                                    "0",
			`credsync_last_success_timestamp_seconds{job="production"}`:                                 now,
			`credsync_last_run_timestamp_seconds{job="production"}`:                                     now,
			`credsync_oldest_success_timestamp_seconds{job="production",sink="vault"}`:                  now,
			`credsync_requests_total{code="429",operation="credentials",target="smapi"}`:                "1",
			`credsync_requests_total{code="error",operation="credentials",target="smapi"}`:              "1",
			`credsync_request_duration_seconds_bucket{operation="credentials",target="smapi",le="0.1"}`: "1",
			`credsync_source_pace_requests_per_second{source="acme"}`:                                   "5",
			`credsync_source_throttled_total{source="acme"}`:                                            "0",
			`credsync_source_grant_valid{source="acme"}`:                                                "1",
			`credsync_audit_up`: "1",
			`credsync_ready`:    "1",
		} {
			if got[name] != want {
				t.Errorf("%s is %q, want %q", name, got[name], want)
			}
		}
		s.pace, s.throttled, s.denied = 2.5, 7, errors.New("invalid_grant")
		b.settings.Trail.(*fickle).err = errors.New("down")
		got = scrape(t, b)
		for name, want := range map[string]string{
			`credsync_source_pace_requests_per_second{source="acme"}`: "2.5",
			`credsync_source_throttled_total{source="acme"}`:          "7",
			`credsync_source_grant_valid{source="acme"}`:              "0",
			`credsync_audit_up`: "0",
			`credsync_ready`:    "0",
		} {
			if got[name] != want {
				t.Errorf("%s is %q later, want %q", name, got[name], want)
			}
		}
	})
}

func TestTheOldestSuccessIsThatOfTheNameThatFailsLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := board()
		start := time.Now()
		for range 3 {
			run(b, syncer.Options{}, result(1, "vault", syncer.Unchanged, ""), result(2, "vault", syncer.Failed, syncer.Denied))
			run(b, syncer.Options{}, result(1, "vault", syncer.Unchanged, ""), result(2, "vault", syncer.Failed, syncer.NotFound))
			time.Sleep(time.Hour)
		}
		if _, got := b.jobs["production"].grid.tallies(0); !got.Equal(start) {
			t.Errorf("got %v for a name that never was good, want when it was met, %v", got, start)
		}
	})
}

func TestMetricsAreNamedAsPrometheusWants(t *testing.T) {
	b := full(&account{pace: 5})
	problems, err := testutil.GatherAndLint(b.metrics.registry, names(t, b)...)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// names returns the names of our metrics.
func names(t *testing.T, b *Board) (names []string) {
	t.Helper()
	families, err := b.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	goes := false
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "credsync_") {
			names = append(names, f.GetName())
		}
		goes = goes || strings.HasPrefix(f.GetName(), "go_")
	}
	if !goes {
		t.Error("nothing of the Go runtime")
	}
	return names
}

func TestEveryMetricIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(credsync_[a-z_]+)").FindAllStringSubmatch(string(doc), -1) {
		told = append(told, m[1])
	}
	slices.Sort(told)
	if diff := cmp.Diff(names(t, full(&account{})), told); diff != "" {
		t.Errorf("docs/metrics.md (-metrics +documented)\n%s", diff)
	}
}

func TestNobodyOutsideMakesSeries(t *testing.T) {
	b := board()
	before := len(scrape(t, b))
	for n := range 2000 {
		r := result(n, "vault", syncer.Failed, syncer.Reason(fmt.Sprintf("hostile %d", n)))
		r.Label, r.Name, r.Error, r.Version = fmt.Sprint("label\n", n), fmt.Sprint(`name"`, n), fmt.Sprint("error", n), fmt.Sprint("version", n)
		run(b, syncer.Options{}, r)
		run(b, syncer.Options{}, result(n, fmt.Sprintf("sink %d", n), syncer.Created, ""))
		b.Begin(fmt.Sprintf("job %d", n), syncer.Options{}).End(syncer.Summary{})
		b.Waiting(fmt.Sprintf("job %d", n), time.Now())
		b.Observe("smapi", "credentials", n, time.Second)
	}
	after := scrape(t, b)
	// Codes that HTTP knows, one histogram, the oldest success of one sink.
	if got := len(after) - before; got > 62+2+12+8 {
		t.Errorf("%d series more after 2000 of all that is hostile", got)
	}
	for n := range 2000 {
		b.Observe(fmt.Sprintf("target %d", n), fmt.Sprintf("operation \"\n%d", n), 200, time.Second)
	}
	if got := len(scrape(t, b)) - len(after); got > maxOperations*13+14 {
		t.Errorf("%d series more after 2000 operations", got)
	}
}

func TestWhatHasGoneHasNoSeries(t *testing.T) {
	b := board()
	b.Begin("production", syncer.Options{}).End(syncer.Summary{})
	with := func(what string) (n int) {
		for name := range scrape(t, b) {
			if strings.Contains(name, what) {
				n++
			}
		}
		return n
	}
	if with(`sink="aws"`) == 0 {
		t.Fatal("nothing to lose")
	}
	w := b.Begin("production", syncer.Options{})
	b.Configure(settings("vault"))
	w.Result(result(1, "aws", syncer.Created, ""))
	if got := with(`sink="aws"`); got > 0 {
		t.Errorf("%d series of a sink that has gone", got)
	}
	if with(`sink="vault"`) == 0 {
		t.Error("nothing of the sink that stayed")
	}
	b.Configure(Settings{})
	w.Result(result(1, "vault", syncer.Created, ""))
	w.End(syncer.Summary{})
	if got := with(`job="production"`); got > 0 {
		t.Errorf("%d series of a job that has gone", got)
	}
}

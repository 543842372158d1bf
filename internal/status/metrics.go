package status

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/credsync/credsync/internal/syncer"
)

// Metrics count what happens, for Prometheus. What is rather a state than an
// event the [gauges] read from the Board when somebody asks. Labels hold names
// from the configuration and words of closed sets, so that no peer can make a
// series: docs/metrics.md lists them all.
type metrics struct {
	registry *prometheus.Registry
	results  *prometheus.CounterVec
	runs     *prometheus.CounterVec
	took     *prometheus.HistogramVec
	requests *prometheus.CounterVec
	answered *prometheus.HistogramVec

	mu         sync.Mutex
	operations map[operation]bool // that have series
}

// An operation is what is asked of a kind of peer.
type operation struct{ target, name string }

// maxOperations bounds the series of requests. There are some forty.
const maxOperations = 100

// other is what stands for operations and codes that nobody foresaw.
const other = "other"

func newMetrics(b *Board, build Build) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "credsync_results_total", Help: "What became of a skill in a sink, summed over all runs.",
		}, []string{"job", "sink", "outcome", "reason"}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "credsync_runs_total", Help: "Runs that ended, by how: ok, partial, brake or failed.",
		}, []string{"job", "result"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "credsync_run_duration_seconds", Help: "How long runs took.",
			Buckets: []float64{1, 5, 15, 60, 300, 900, 1800, 3600, 7200},
		}, []string{"job"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "credsync_requests_total", Help: "Requests to Amazon and to sinks, by the status of the answer; error: none came.",
		}, []string{"target", "operation", "code"}),
		answered: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "credsync_request_duration_seconds", Help: "How long an answer took to begin.",
			Buckets: []float64{.005, .025, .1, .25, .5, 1, 2.5, 5, 15},
		}, []string{"target", "operation"}),
		operations: make(map[operation]bool),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "credsync_build_info", Help: "Always 1; the labels say which build this is.",
		ConstLabels: prometheus.Labels{"version": build.Version, "commit": build.Commit, "goversion": build.Go},
	})
	info.Set(1)
	m.registry.MustRegister(
		m.results, m.runs, m.took, m.requests, m.answered, info, gauges{b},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// configure makes series for all that can happen with s, at zero, so that a
// first event shows as a rise; and drops those of what has gone.
func (m *metrics) configure(before, s []JobSettings) {
	for _, old := range before {
		i := slices.IndexFunc(s, func(j JobSettings) bool { return j.Name == old.Name })
		if i < 0 {
			job := prometheus.Labels{"job": old.Name}
			m.results.DeletePartialMatch(job)
			m.runs.DeletePartialMatch(job)
			m.took.DeletePartialMatch(job)
			continue
		}
		for _, sink := range old.Sinks {
			if !slices.Contains(s[i].Sinks, sink) {
				m.results.DeletePartialMatch(prometheus.Labels{"job": old.Name, "sink": sink})
			}
		}
	}
	for _, j := range s {
		for _, v := range Verdicts {
			m.runs.WithLabelValues(j.Name, string(v))
		}
		m.took.WithLabelValues(j.Name)
		for _, sink := range j.Sinks {
			for _, e := range ends() {
				m.results.WithLabelValues(j.Name, sink, string(e.outcome.word()), string(e.reason.word()))
			}
		}
	}
}

// An end is how a skill in a sink can end up.
type end struct {
	outcome code
	reason  reasonCode
}

// ends returns all that there are.
func ends() (all []end) {
	for _, o := range syncer.Outcomes {
		reasons := []syncer.Reason{syncer.NoReason}
		switch o {
		case syncer.Refused:
			reasons = []syncer.Reason{syncer.Foreign, syncer.Brake}
		case syncer.Failed:
			reasons = slices.DeleteFunc(slices.Clone(syncer.Reasons), func(r syncer.Reason) bool {
				return r == syncer.NoReason || r == syncer.Foreign || r == syncer.Brake
			})
		case syncer.Skipped:
			reasons = []syncer.Reason{syncer.Timeout, syncer.Canceled, syncer.Unavailable}
		}
		for _, r := range reasons {
			all = append(all, end{codeOf(o), reasonOf(r)})
		}
	}
	return all
}

// result counts r, which is of a sink that the job is configured to have.
func (m *metrics) result(job string, r syncer.Result) {
	m.results.WithLabelValues(job, r.Sink, string(r.Outcome), string(reasonOf(r.Reason).word())).Inc()
}

func (m *metrics) ended(job string, r Run, took time.Duration) {
	m.runs.WithLabelValues(job, string(r.Result)).Inc()
	m.took.WithLabelValues(job).Observe(took.Seconds())
}

// request counts one request. A peer chooses the code, so only those that HTTP
// knows have a series each.
func (m *metrics) request(target, name string, status int, took time.Duration) {
	o := m.known(operation{target, name})
	m.requests.WithLabelValues(o.target, o.name, codeLabel(status)).Inc()
	m.answered.WithLabelValues(o.target, o.name).Observe(took.Seconds())
}

// known returns o, or what stands for it where there are too many already.
func (m *metrics) known(o operation) operation {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.operations[o]:
	case len(m.operations) >= maxOperations:
		return operation{other, other}
	default:
		m.operations[o] = true
	}
	return o
}

func codeLabel(status int) string {
	switch {
	case status == 0:
		return "error"
	case http.StatusText(status) == "":
		return other
	}
	return strconv.Itoa(status)
}

// ServeHTTP answers in the formats that Prometheus asks for.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, EnableOpenMetrics: true, MaxRequestsInFlight: 4})
}

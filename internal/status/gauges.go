package status

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Gauges are what a Board shows to Prometheus of the state of things. Each
// scrape reads them anew; a moment that is not known has no series.
type gauges struct{ *Board }

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	startedGauge = gauge("credsync_config_loaded_timestamp_seconds", "When the configuration was loaded.")
	readyGauge   = gauge("credsync_ready", "1 where /readyz says ok, else 0.")
	auditGauge   = gauge("credsync_audit_up", "1 where every destination of the audit trail took its last record, else 0.")

	successGauge = gauge("credsync_last_success_timestamp_seconds", "End of the last run that left nothing refused, failed or skipped.", "job")
	lastGauge    = gauge("credsync_last_run_timestamp_seconds", "End of the last run that could be made.", "job")
	nextGauge    = gauge("credsync_next_run_timestamp_seconds", "When the next run is due.", "job")
	overdueGauge = gauge("credsync_job_overdue", "1 where a run should have begun, or have ended, and has not; else 0.", "job")
	runningGauge = gauge("credsync_job_running", "1 while a run goes on, else 0.", "job")
	skillsGauge  = gauge("credsync_skills", "Skills on the list of the last whole run.", "job")
	orphansGauge = gauge("credsync_orphans", "Secrets of ours that stand on no job's list, at the last whole run.", "job")
	namesGauge   = gauge("credsync_names", "Names in a sink by what the last run that was about them made of them.", "job", "sink", "outcome", "reason")
	oldestGauge  = gauge("credsync_oldest_success_timestamp_seconds", "When the name was last as it should be whose success is the longest ago; for one that never was, when it was met first.", "job", "sink")

	paceGauge      = gauge("credsync_source_pace_requests_per_second", "Requests a second that a source allows itself now.", "source")
	throttledGauge = gauge("credsync_source_throttled_total", "Answers that said that a source asks too often.", "source")
	grantGauge     = gauge("credsync_source_grant_valid", "0 where Login with Amazon, at its last clear answer, gave no access token; else 1.", "source")
)

// Describe implements [prometheus.Collector].
func (gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		startedGauge, readyGauge, auditGauge, successGauge, lastGauge, nextGauge, overdueGauge, runningGauge, skillsGauge, orphansGauge,
		namesGauge, oldestGauge, paceGauge, throttledGauge, grantGauge,
	} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector]. What it sends is gathered under the
// lock and sent after it, because nobody knows how long a reader takes.
func (g gauges) Collect(ch chan<- prometheus.Metric) {
	for _, m := range g.gather() {
		ch <- m
	}
}

// A gathering collects samples.
type gathering []prometheus.Metric

func (g *gathering) set(d *prometheus.Desc, v float64, labels ...string) {
	*g = append(*g, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...))
}

func (g *gathering) flag(d *prometheus.Desc, v bool, labels ...string) {
	n := 0.0
	if v {
		n = 1
	}
	g.set(d, n, labels...)
}

func (g *gathering) moment(d *prometheus.Desc, t time.Time, labels ...string) {
	if !t.IsZero() {
		g.set(d, float64(t.UnixMilli())/1000, labels...)
	}
}

func (g gauges) gather() (samples gathering) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	samples.moment(startedGauge, g.loaded)
	samples.flag(readyGauge, len(g.problems(now)) == 0)
	samples.flag(auditGauge, g.settings.Trail == nil || g.settings.Trail.Err() == nil)
	for name, s := range g.settings.Sources {
		samples.set(paceGauge, s.Pace(), name)
		samples = append(samples, prometheus.MustNewConstMetric(throttledGauge, prometheus.CounterValue, float64(s.Throttled()), name))
		samples.flag(grantGauge, s.Denied() == nil, name)
	}
	for _, j := range g.jobs {
		j.gather(&samples, now)
	}
	return samples
}

func (j *job) gather(samples *gathering, now time.Time) {
	name := j.settings.Name
	samples.moment(successGauge, j.lastSuccess, name)
	samples.moment(lastGauge, j.lastRun, name)
	samples.moment(nextGauge, j.next, name)
	samples.flag(overdueGauge, j.late(now) > 0, name)
	samples.flag(runningGauge, j.running != nil, name)
	samples.set(skillsGauge, float64(j.skills), name)
	samples.set(orphansGauge, float64(j.orphans), name)
	for n, sink := range j.grid.sinks {
		tallies, oldest := j.grid.tallies(n)
		samples.moment(oldestGauge, oldest, name, sink)
		counts := make(map[end]int)
		for _, e := range ends() {
			counts[e] = 0
		}
		for _, t := range tallies {
			counts[end{t.outcome, t.reason}] = t.n
		}
		for e, n := range counts {
			samples.set(namesGauge, float64(n), name, sink, string(e.outcome.word()), string(e.reason.word()))
		}
	}
}

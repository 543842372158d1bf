package status

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/credsync/credsync/internal/syncer"
)

// Settings are what a configuration says that a [Board] shows.
type Settings struct {
	Instance string
	Config   string // the file, as it was named
	Command  string // how to call credsync with that file; "" = credsync
	Jobs     []JobSettings
	Sources  map[string]LiveSource // by name
	Trail    Trail                 // nil = none is kept
}

// JobSettings are those of one job that the daemon runs.
type JobSettings struct {
	Name     string
	Schedule string
	TimeZone string
	Source   string
	Sinks    []string
	Timeout  time.Duration // of a run; 0 = none
}

// A LiveSource tells of itself at any time, from any goroutine.
type LiveSource interface {
	Pace() float64  // requests a second that it allows itself now
	Throttled() int // answers 429 so far
	Denied() error  // why it gets no token, whoever asks; nil = it got one, or has not asked
}

// A Trail is an audit trail that says what is wrong with it, nil when all is well.
type Trail interface{ Err() error }

// A Board is what the daemon knows, for all to see: the configuration, the runs
// that go on, those that have ended, and the matrix of skills and sinks. It
// lives as long as the process and survives a new configuration. It is safe for
// concurrent use, and no method waits for anything but its lock.
type Board struct {
	build   Build
	started time.Time
	metrics *metrics

	mu       sync.Mutex
	settings Settings
	loaded   time.Time
	jobs     map[string]*job
	tracks   map[string]track // by source
	sampling atomic.Int64     // when the next sample is due, after started
}

// A Build says which program this is.
type Build struct{ Version, Commit, Go string }

// NewBoard returns a Board of a process that starts now.
func NewBoard(build Build) *Board {
	b := &Board{build: build, started: time.Now(), jobs: make(map[string]*job)}
	b.metrics = newMetrics(b, build)
	return b
}

// Observe counts a request; it is a wire.Observer.
func (b *Board) Observe(target, operation string, status int, took time.Duration) {
	b.metrics.request(target, operation, status, took)
	b.sample()
}

// Configure makes s what the Board shows from now on. What is known of a job
// or a sink that is still there is kept; what has gone is forgotten.
func (b *Board) Configure(s Settings) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.metrics.configure(b.settings.Jobs, s.Jobs)
	b.settings, b.loaded = s, time.Now()
	jobs := make(map[string]*job, len(s.Jobs))
	for _, c := range s.Jobs {
		j := b.jobs[c.Name]
		if j == nil {
			j = &job{grid: newGrid(c.Sinks)}
		}
		j.settings, j.command = c, s.Command
		j.grid.resize(c.Sinks)
		jobs[c.Name] = j
	}
	b.jobs = jobs
	tracks := make(map[string]track, len(s.Sources))
	for name, source := range s.Sources {
		tracks[name] = b.tracks[name].follow(source)
	}
	b.tracks = tracks
}

// Waiting tells when the next run of a job is due; the zero Time: never.
func (b *Board) Waiting(job string, next time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if j := b.jobs[job]; j != nil {
		j.waiting(next)
	}
}

// Begin tells that a run of a job begins. What it returns hears of the run, and
// wants its End. A run that begins takes the place of one that never ended.
func (b *Board) Begin(job string, opts syncer.Options) *Watch {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := &Watch{board: b, job: b.jobs[job]}
	if w.job != nil {
		w.run = w.job.begin(opts)
	}
	return w
}

// byName returns the jobs. The lock is held.
func (b *Board) byName() []*job {
	jobs := make([]*job, 0, len(b.jobs))
	for _, name := range slices.Sorted(maps.Keys(b.jobs)) {
		jobs = append(jobs, b.jobs[name])
	}
	return jobs
}

// A Watch hears of one run, for a [Board]. It is a [syncer.Reporter].
type Watch struct {
	board *Board
	job   *job // nil = the configuration has it no more
	run   *running
}

var _ syncer.Reporter = (*Watch)(nil)

// Start takes how many results will come.
func (w *Watch) Start(_ string, results int) {
	w.do(func() {
		w.run.total, w.run.listed = results, true
		if w.run.whole {
			w.job.grid.expect(results)
		}
	})
}

// Result takes what became of one skill in one sink.
func (w *Watch) Result(r syncer.Result) {
	w.do(func() {
		w.run.done++
		if !slices.Contains(w.job.grid.sinks, r.Sink) { // a reload took it away while the run went on
			return
		}
		w.board.metrics.result(w.job.settings.Name, r)
		w.job.grid.put(r, w.run.number, stampOf(w.run.started), stampOf(time.Now()))
	})
}

// End takes what the run came to.
func (w *Watch) End(s syncer.Summary) {
	w.do(func() {
		w.board.metrics.ended(w.job.settings.Name, w.job.end(w.run, s), s.Took)
		w.board.sampleNow()
	})
}

// Abandon ends a run that came to nothing that could be told, as by a panic. It
// does nothing after End.
func (w *Watch) Abandon() {
	w.do(func() {
		if w.job.running == w.run {
			w.job.running = nil
		}
	})
}

func (w *Watch) do(f func()) {
	w.board.mu.Lock()
	defer w.board.mu.Unlock()
	if w.job != nil && w.board.jobs[w.job.settings.Name] == w.job { // it may have gone since
		f()
	}
}

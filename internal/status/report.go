package status

import (
	"time"

	"github.com/credsync/credsync/internal/syncer"
)

// A Report is what the daemon knows at one moment: the document at /api/status,
// and what the status page and credsync status show. Times are in UTC; the zero
// Time is left out and means never, or not known. It holds names and outcomes,
// no value and no token.
type Report struct {
	Instance string    `json:"instance"`
	Version  string    `json:"version"`
	Config   string    `json:"config"` // the file, as it was named
	Now      time.Time `json:"now"`
	Started  time.Time `json:"started"`           // of the process
	Loaded   time.Time `json:"loaded"`            // of the configuration
	Ready    bool      `json:"ready"`             // what /readyz says
	Problems []string  `json:"problems,omitzero"` // why it is not ready

	Jobs     []Job     `json:"jobs"`     // by name
	Sources  []Source  `json:"sources"`  // by name
	Troubles []Trouble `json:"troubles"` // of all cells, before the filter; by job, sink and reason
	Skills   Page      `json:"skills"`
}

// A Job is what is known of one job.
type Job struct {
	Name     string   `json:"name"`
	Schedule string   `json:"schedule"`
	TimeZone string   `json:"time_zone"`
	Source   string   `json:"source"`
	Sinks    []string `json:"sinks"`

	Next        time.Time `json:"next,omitzero"`         // when it is due
	LastRun     time.Time `json:"last_run,omitzero"`     // end of the last run that could be made
	LastSuccess time.Time `json:"last_success,omitzero"` // end of the last run that left nothing refused, failed or skipped
	Overdue     bool      `json:"overdue"`               // a run should have begun, or have ended, and has not
	Running     *Progress `json:"running,omitempty"`
	Runs        []Run     `json:"runs"` // newest first, a few dozen at most
}

// A Progress is how far a run has come.
type Progress struct {
	Trigger syncer.Trigger `json:"trigger"`
	Started time.Time      `json:"started"`
	Done    int            `json:"done"`  // results so far
	Total   int            `json:"total"` // results to come; 0 while the list is read
}

// A Verdict is how a run ended. The set is closed.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"      // nothing refused, failed or skipped
	Partial Verdict = "partial" // some is; the rest is done
	Braked  Verdict = "brake"   // the brake refused updates
	Failed  Verdict = "failed"  // nothing of use could be done
)

// Verdicts lists all verdicts.
var Verdicts = []Verdict{OK, Partial, Braked, Failed}

// A Run is one that has ended.
type Run struct {
	Run         string                 `json:"run"`
	Trigger     syncer.Trigger         `json:"trigger"`
	Started     time.Time              `json:"started"`
	TookSeconds float64                `json:"took_seconds"`
	Result      Verdict                `json:"result"`
	Skills      int                    `json:"skills"`
	Outcomes    map[syncer.Outcome]int `json:"outcomes"`
	Orphans     int                    `json:"orphans"`
	Plan        string                 `json:"plan,omitempty"`  // of the updates that the brake refused
	Brake       string                 `json:"brake,omitempty"` // why it refused them
	Error       string                 `json:"error,omitempty"` // why the run could not be made at all
}

// A Source is what is known of one source.
type Source struct {
	Name      string  `json:"name"`
	Pace      float64 `json:"pace"`             // requests a second that are sent at most, now
	Throttled int     `json:"throttled"`        // answers 429 since the configuration was loaded
	Denied    string  `json:"denied,omitempty"` // why Login with Amazon gives no token, whoever asks

	Paces []Sample `json:"paces"` // oldest first; taken while requests go out, some ten seconds apart
}

// A Sample is the pace of a source at one moment.
type Sample struct {
	At        time.Time `json:"at"`
	Pace      float64   `json:"pace"`
	Throttled int       `json:"throttled"` // answers 429 since the sample before
}

// A Trouble is what some cells of one sink have in common: why they are not as
// they should be.
type Trouble struct {
	Job     string         `json:"job"`
	Sink    string         `json:"sink"`
	Outcome syncer.Outcome `json:"outcome"`
	Reason  syncer.Reason  `json:"reason"`
	Skills  int            `json:"skills"`
	Since   time.Time      `json:"since"`             // of the oldest
	Error   string         `json:"error"`             // of one of them
	Cure    string         `json:"cure,omitempty"`    // what an operator can do
	Command string         `json:"command,omitempty"` // the one that does it, or begins to
}

// A Page is a part of the matrix of skills and sinks.
type Page struct {
	Outcomes map[syncer.Outcome]int `json:"outcomes"` // of all cells, before the filter
	Total    int                    `json:"total"`    // skills known
	Matching int                    `json:"matching"` // of those, what the filter lets through
	Offset   int                    `json:"offset"`
	Limit    int                    `json:"limit"`
	Items    []Skill                `json:"items"` // by job, then skill
}

// A Skill is one row of the matrix.
type Skill struct {
	Job   string `json:"job"`
	Skill string `json:"skill"`
	Label string `json:"label,omitempty"`
	Cells []Cell `json:"cells"` // one for each of the job's sinks, in their order
}

// A Cell is what is known of one skill in one sink. While a run goes on, it is
// what the runs before found, until the new result comes. One that no run has
// come to yet has an empty Outcome.
type Cell struct {
	Sink    string         `json:"sink"`
	Name    string         `json:"name"`
	Outcome syncer.Outcome `json:"outcome"`
	Since   time.Time      `json:"since,omitzero"`    // start of the first of the runs in a row with this outcome and reason
	Checked time.Time      `json:"checked,omitzero"`  // when a run last reached it
	Good    time.Time      `json:"good,omitzero"`     // when a run last left it as it should be, since the start of the process
	Changed time.Time      `json:"changed,omitzero"`  // when credsync last wrote there, since the start of the process
	Version string         `json:"version,omitempty"` // the last that was seen
	Reason  syncer.Reason  `json:"reason,omitempty"`
	Error   string         `json:"error,omitempty"`
	Cure    string         `json:"cure,omitempty"`    // what an operator can do
	Command string         `json:"command,omitempty"` // the one that does it, or begins to
}

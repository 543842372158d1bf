package syncer

import (
	"time"

	"github.com/credsync/credsync/internal/credential"
)

// An Outcome is what became of one skill in one sink.
type Outcome string

// The outcomes. The first four are results of use.
const (
	Created   Outcome = "created"
	Updated   Outcome = "updated"
	Repaired  Outcome = "repaired"  // the sink no longer held what credsync had written
	Unchanged Outcome = "unchanged" // nothing to do
	Refused   Outcome = "refused"   // foreign, or held back by the brake
	Failed    Outcome = "failed"
	Skipped   Outcome = "skipped" // not reached
)

// Outcomes lists all outcomes in the order in which tables show them.
var Outcomes = []Outcome{Created, Updated, Repaired, Unchanged, Refused, Failed, Skipped}

// A Result is what became of one skill in one sink.
type Result struct {
	Skill   credential.SkillID `json:"skill"`
	Label   string             `json:"label,omitempty"`
	Sink    string             `json:"sink"`
	Name    string             `json:"name"`
	Outcome Outcome            `json:"outcome"`
	Version string             `json:"version"`
	Reason  Reason             `json:"reason"`
	Error   string             `json:"error"`

	// Upstream: it never came to the sink, so it is the same for all of them.
	Upstream bool `json:"-"`

	heals bool // a later try may do better without anybody's help
}

// An Orphan is a secret that is ours but stands on no job's list. Nothing is
// done about it.
type Orphan struct {
	Sink  string             `json:"sink"`
	Name  string             `json:"name"`
	Skill credential.SkillID `json:"skill"`
}

// A Summary is a pass as a whole.
type Summary struct {
	Run      string
	Job      string
	Trigger  Trigger
	Shard    Shard  // the part of the list that it was about
	Plan     string // ID of the updates that were decided on, or that the brake refused; see [planID]
	Accepted string // ID of the plan that was let through the brake, once one of its updates was written
	Started  time.Time
	Took     time.Duration
	Skills   int
	Counts   map[Outcome]int
	Orphans  []Orphan
	Brake    string               // why the brake refused updates; empty when it did not
	Healable []credential.SkillID // failed in a way that a later try may heal
	Err      error                // why the pass could not be made at all
}

// Useful reports whether any result is created, updated, repaired or unchanged.
func (s Summary) Useful() bool {
	return s.Counts[Created]+s.Counts[Updated]+s.Counts[Repaired]+s.Counts[Unchanged] > 0
}

// Changes is the number of names written, or to be written in a dry run.
func (s Summary) Changes() int { return s.Counts[Created] + s.Counts[Updated] + s.Counts[Repaired] }

// Spared reports whether there was nothing to do: no skill of the list belongs to
// the shard.
func (s Summary) Spared() bool { return s.Err == nil && s.Shard.partial() && s.Skills == 0 }

// Short is the number of results that are not what the operator wants.
func (s Summary) Short() int { return s.Counts[Refused] + s.Counts[Failed] + s.Counts[Skipped] }

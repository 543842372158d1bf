// Package audit is the trail of what credsync did: one JSON object a line, each
// chained to the one before by a hash.
//
// A [Trail] is written ahead: an intent is durable before the write that it
// announces, and where no destination takes it the write must not happen. Each
// destination holds a chain of its own: seq counts its records from 1, prev is
// the hash of the record before (64 zeros in the first), and hash is the SHA-256
// of the line as written, less the hash member itself:
//
//	sed 's/,"hash":"[0-9a-f]*"}$/}/' FILE | head -n 1 | tr -d '\n' | sha256sum
//
// [Verify] finds every edit, removal, reordering and splice in such a chain.
// Without a key that is a guard against accidents alone: whoever may write the
// file can compute a new chain. With a key (HMAC-SHA256) it takes the key to do
// that. Either way, whole records cut from the end show only against a [Head]
// that was kept elsewhere, and those cut from the beginning only in where the
// numbers begin. A change of key wants a new file: see [ErrUnfit].
//
// An intent whose writer died stays open until somebody looks at what became of
// it: [Trail.Abandoned] finds those, because a run that is alive shows by a lock.
//
// A line is never taken back or rewritten. What a crash tore in the middle of a
// line stays there: the next writer ends that line, and the chain goes on from
// the last whole record.
package audit

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// An Event says what a [Record] tells. The set is closed.
type Event string

// The events.
const (
	RunStart     Event = "run.start"
	RunFinish    Event = "run.finish"
	RunRefused   Event = "run.refused" // the brake stopped the run
	WriteIntent  Event = "write.intent"
	WriteOutcome Event = "write.outcome"
	ConfigReload Event = "config.reload"
	Adopt        Event = "adopt"
)

func (e Event) valid() bool {
	switch e {
	case RunStart, RunFinish, RunRefused, WriteIntent, WriteOutcome, ConfigReload, Adopt:
		return true
	}
	return false
}

// An Action is what a write does to its secret. The set is closed; the zero
// Action belongs to the events that write nothing.
type Action string

// The actions.
const (
	Create      Action = "create"
	Update      Action = "update"
	Repair      Action = "repair"
	AdoptSecret Action = "adopt"
)

func (a Action) valid() bool {
	switch a {
	case "", Create, Update, Repair, AdoptSecret:
		return true
	}
	return false
}

// A Record is one event of the trail. It has no member for free text, so that
// no error message and no value finds its way in. Members that are empty are
// not written.
type Record struct {
	Time        time.Time // set by [Trail.Append], as are Seq, Host, Prev and Hash
	Seq         uint64
	Event       Event
	Run         string // ID of the run
	Job         string
	Trigger     string // a word: what started the run
	Plan        string // ID of the updates that the brake refused, or that were accepted
	Skill       string
	Sink        string // the sink's name in the configuration
	Name        string // of the secret in the sink
	Action      Action
	Outcome     string // a word
	Reason      string // a word: why it was refused or failed
	PrevVersion string // of the secret, before the write
	Version     string // of the secret, after the write
	Fingerprint string
	Took        time.Duration // written as took_ms, rounded up
	Host        string
	Prev        string
	Hash        string
}

const (
	// maxMember bounds a member in bytes. Thirteen such members, each byte
	// escaped by six, still make a line that Verify reads.
	maxMember = 8 << 10
	// maxWord bounds a word of the closed vocabularies.
	maxWord = 32
)

// check refuses what does not belong into the trail.
func (r Record) check() error {
	switch {
	case !r.Event.valid():
		return fmt.Errorf("%q is no event", r.Event)
	case !r.Action.valid():
		return fmt.Errorf("%q is no action", r.Action)
	}
	for _, w := range []string{r.Trigger, r.Outcome, r.Reason} {
		if !isWord(w) {
			return errors.New("trigger, outcome and reason are words, not texts")
		}
	}
	for _, m := range []string{r.Run, r.Job, r.Plan, r.Skill, r.Sink, r.Name, r.PrevVersion, r.Version, r.Fingerprint, r.Host} {
		if len(m) > maxMember {
			return fmt.Errorf("a member of %d bytes; %d is the limit", len(m), maxMember)
		}
	}
	return nil
}

// isWord reports whether s is empty or a short word as the closed sets have it.
func isWord(s string) bool {
	return len(s) <= maxWord && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// Package sinktest is the conformance suite of sinks: what every
// [sink.Sink] has to do whatever stands behind it, a case each. A sink's own
// test opens a [Harness] and hands it to [Run]:
//
//	func TestSink(t *testing.T) { sinktest.Run(t, open) }
//
// A case that needs a power which the harness lacks is skipped under its name,
// so that what was not proven shows.
package sinktest

import (
	"testing"

	"github.com/credsync/credsync/internal/sink"
)

// A Harness is one fresh, empty sink under test and the powers that a test
// needs behind its back. Sink, Form, Stored, Tamper and Foreign are required.
type Harness struct {
	Sink sink.Sink
	Form sink.Form
	// Name returns the n-th valid name, which holds the skill's ID; nil means
	// "alexa/amzn1.ask.skill.00000000-0000-4000-8000-%012d".
	Name func(n int) string
	// Stored tells what the backend holds at name, read by other means than the
	// sink.
	Stored func(t *testing.T, name string) Stored
	// Tamper replaces the value at name by hand and keeps the marks. Each call
	// leaves another value.
	Tamper func(t *testing.T, name string)
	// Foreign creates a secret at name that bears no mark (owner is empty) or
	// the mark of the instance owner.
	Foreign func(t *testing.T, name, owner string)
	// Claim leaves owner's mark at name and no value, as a crash may; nil where
	// the backend has no such state.
	Claim func(t *testing.T, name string, owner sink.Owner)
	// SoftDelete deletes what is at name so that it can be restored; nil where
	// the backend has no such thing.
	SoftDelete func(t *testing.T, name string)
	// Fail says what the next requests meet, instead of what it said before. It
	// skips t for a kind that the backend can't show; nil where it has none.
	Fail func(t *testing.T, f Failure)
	// MaxBody is the largest body in bytes that the backend takes; 0 means that
	// there is no limit worth a test.
	MaxBody int
	// LateMarks: the backend sets marks without a condition, so that of a writer who
	// was overtaken may land after that of who overtook. The value counts as
	// altered then, and the next look repairs it.
	LateMarks bool
	// Requests counts what the backend has been asked so far; nil where nobody
	// counts.
	Requests func() int
}

// Stored is what the backend holds at one name.
type Stored struct {
	Body     string // as [sink.Record] had it: decrypted, where the sink encrypts
	Versions int    // made so far
	Exists   bool   // there is a value to be read: not one that is soft-deleted
}

// A Failure is what requests to the backend meet.
type Failure struct {
	Kind       FailureKind
	Times      int  // how many requests meet it; -1 is all from now on, 0 is none any more
	WritesOnly bool // requests that write nothing pass and are not counted
}

// A FailureKind is one way to fail.
type FailureKind int

const (
	Denied      FailureKind = iota // our identity or rights are refused
	Throttled                      // the backend's limit is met
	Unavailable                    // a 5xx, or what is nearest to it
	Garbage                        // an answer that isn't the protocol and echoes the request
	Hang                           // no answer until the client gives up
	LostAnswer                     // the request is done, then the answer is cut
)

// String returns the kind in words.
func (k FailureKind) String() string {
	words := [...]string{"denied", "throttled", "unavailable", "garbage", "hang", "lost answer"}
	if k < 0 || int(k) >= len(words) {
		return "unknown"
	}
	return words[k]
}

// Run proves the sinks that open returns: each case opens its own.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, theme := range [][]testCase{basic, conflicts, strangers, deletions, failures, losses, contexts, leaks, races, powers, adoptions} {
		for _, c := range theme {
			t.Run(c.name, func(t *testing.T) { c.run(newBench(t, open(t))) })
		}
	}
}

// A testCase is one thing that a sink has to do, told by its name.
type testCase struct {
	name string
	run  func(*bench)
}

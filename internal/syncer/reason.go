package syncer

import (
	"context"
	"errors"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

// A Reason says why a result is refused, failed or skipped. The set is closed:
// scripts and metrics branch on it.
type Reason string

// The reasons.
const (
	NoReason    Reason = ""
	NotFound    Reason = "not_found"
	Denied      Reason = "denied"
	Invalid     Reason = "invalid"
	Rejected    Reason = "rejected"
	RateLimited Reason = "rate_limited"
	Unavailable Reason = "unavailable"
	Timeout     Reason = "timeout"
	Conflict    Reason = "conflict"
	Foreign     Reason = "foreign"
	Brake       Reason = "brake"
	Canceled    Reason = "canceled"
	Internal    Reason = "internal"
)

// Reasons lists all reasons, NoReason first.
var Reasons = []Reason{
	NoReason, NotFound, Denied, Invalid, Rejected, RateLimited, Unavailable, Timeout, Conflict, Foreign, Brake, Canceled, Internal,
}

// reasons maps what sources and sinks promise to say. The first match counts:
// the context's end is the cause of whatever else an error wraps.
var reasons = []struct {
	err    error
	reason Reason
}{
	{context.DeadlineExceeded, Timeout},
	{context.Canceled, Canceled},
	{source.ErrNotFound, NotFound},
	{source.ErrDenied, Denied},
	{source.ErrInvalid, Invalid},
	{source.ErrRejected, Rejected},
	{source.ErrRateLimited, RateLimited},
	{source.ErrUnavailable, Unavailable},
	{sink.ErrConflict, Conflict},
	{sink.ErrForeign, Foreign},
	{sink.ErrDenied, Denied},
	{sink.ErrInvalid, Invalid},
	{sink.ErrRateLimited, RateLimited},
	{sink.ErrUnavailable, Unavailable},
	{errNoTrail, Unavailable},
}

func reasonOf(err error) Reason {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.reason
		}
	}
	return Internal
}

// heals reports whether a later try may do better without anybody's help.
func (r Reason) heals() bool {
	switch r {
	case RateLimited, Unavailable, Timeout, Conflict, Internal:
		return true
	}
	return false
}

// cures says, for each reason, what an operator can do.
var cures = map[Reason]string{
	NotFound:    "check the skill ID; a skill gets credentials with its first permission that needs them (developer console, Permissions)",
	Denied:      "check the token and its rights; check --online tells which",
	Invalid:     "correct what is named; nothing was changed for it",
	Rejected:    "Amazon handed out a pair that it does not take itself; it was not published; look at the skill in the developer console",
	RateLimited: "give the job more time (timeout) or fewer skills per run",
	Unavailable: "the next run tries again; nothing was changed for it",
	Timeout:     "the next run tries again; raise the job's timeout if this stays",
	Conflict:    "somebody else writes there too; find out who, and let only one do it",
	Foreign:     "credsync leaves alone what it does not own; to see what could be taken over:",
	Canceled:    "run it again; what was sent without an answer is looked at anew",
	Internal:    "this should not happen; please report it with the log",
}

// Cure says what an operator can do about r; empty where there is nothing to say.
func (r Reason) Cure() string { return cures[r] }

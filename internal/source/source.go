// Package source is where credentials come from: the contract of a source, its
// errors, and the list of skills to ask for.
package source

import (
	"context"
	"errors"

	"github.com/credsync/credsync/internal/credential"
)

// The errors of a [Source] wrap one of these, or the error of the context that
// ended, or they are internal. Their text names what was asked and the cause
// and holds nothing of a body but a code that is known to be harmless.
var (
	// ErrNotFound: no such skill, or no credentials issued for it yet. It is
	// never a reason to delete anything.
	ErrNotFound = errors.New("no such skill, or no credentials issued for it yet")
	// ErrDenied: our token may not see this skill. A retry can't help.
	ErrDenied = errors.New("access denied")
	// ErrInvalid: the request or the answer was not what the API promises.
	ErrInvalid = errors.New("invalid")
	// ErrRejected: Login with Amazon does not accept the pair.
	ErrRejected = errors.New("pair rejected by Login with Amazon")
	// ErrRateLimited: throttled until the time for asking was over.
	ErrRateLimited = errors.New("rate limited")
	// ErrUnavailable: no usable answer on any attempt. A later run may succeed.
	ErrUnavailable = errors.New("unavailable")
)

// A Source gives the credential of one skill at a time. It is safe for
// concurrent use, paces itself, and retries what is transient; an error it
// returns is final for this run.
type Source interface {
	// Fetch returns the pair of id as it is now: on nil both halves came in one
	// answer and have the shape of a pair.
	Fetch(ctx context.Context, id credential.SkillID) (credential.Credential, error)
}

// A Verifier is a Source that can prove a pair. An error that wraps
// [ErrRejected] means that the pair is known to be bad; any other error is
// inconclusive.
type Verifier interface {
	Verify(ctx context.Context, c credential.Credential) error
}

// A Lister is a Source that can tell the skills of an account.
type Lister interface {
	// Skills returns the skills of vendor, each once, sorted by ID; of all
	// vendors that the account can see where vendor is empty.
	Skills(ctx context.Context, vendor string) ([]Skill, error)
}

// A Skill is one skill as its account lists it.
type Skill struct {
	ID     credential.SkillID `json:"skill"`
	Name   string             `json:"name"`   // in some locale, en-US where there is one
	Stages []string           `json:"stages"` // development, certified, live
	Vendor string             `json:"vendor"`
}

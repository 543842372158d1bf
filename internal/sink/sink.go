// Package sink is where credentials go. It holds the contract between the
// engine and the backends: what a stored secret looks like from outside
// ([State]), what is to be stored ([Record]), and the two methods that every
// backend has.
//
// A sink is also credsync's only state: the owner mark and the fingerprint that
// stand beside each value decide, in every run anew, whether it is ours and
// current. A value that was written is never read back.
package sink

import (
	"context"
	"errors"

	"github.com/credsync/credsync/internal/credential"
)

// The errors of a [Sink] wrap one of these, or the error of the context that
// ended, or they are internal. Their text names the operation and the cause and
// holds nothing that came in a body, a header or a URL.
var (
	// ErrConflict: the sink was no longer in the state that the write was
	// decided on. Nothing was changed by us that stands now. Look again, then
	// decide again.
	ErrConflict = errors.New("changed by somebody else in the meantime")
	// ErrForeign: what stands there is not ours to change, by its mark or by
	// what manages it.
	ErrForeign = errors.New("not owned by this instance")
	// ErrDenied: the sink refused our identity or our rights. A retry can't help.
	ErrDenied = errors.New("access denied")
	// ErrInvalid: the sink can't hold this name or value. A retry can't help.
	ErrInvalid = errors.New("not accepted by the sink")
	// ErrRateLimited: the sink's limit was met on every attempt.
	ErrRateLimited = errors.New("rate limited")
	// ErrUnavailable: no usable answer on any attempt. A later run may succeed.
	ErrUnavailable = errors.New("unavailable")
)

// An Owner is the mark on what credsync writes: the instance that wrote it and
// the skill whose pair it is. The zero Owner means: not ours, foreign.
type Owner struct {
	Instance string
	Skill    credential.SkillID
}

// IsZero reports whether o marks nothing.
func (o Owner) IsZero() bool { return o == Owner{} }

// A State is what stands at one name of a sink, as far as it shows without the
// value. The zero State is a name never written.
type State struct {
	// Exists tells that a value stands there, or stood there and can be
	// restored (Deleted). A name that was claimed for us and never filled has
	// an Owner and does not exist.
	Exists bool
	// Owner is what the stored mark says; zero where there is none.
	Owner Owner
	// Fingerprint is that of the value stored now; zero when the value was
	// altered since we wrote it, deleted, or isn't ours.
	Fingerprint credential.Fingerprint
	// Key is the [credential.FingerprintKey] ID that Fingerprint was made with.
	Key string
	// Version is what check-and-set compares and what the audit trail records;
	// empty where nothing was written yet.
	Version string
	// Deleted: soft-deleted or scheduled for deletion.
	Deleted bool
	// Guard says why a secret is not to be touched although its mark is ours
	// (managed by another service, a replica): a sentence, or empty.
	Guard string
	// Ref is the sink's own identity of what was inspected (an ARN, a creation
	// time), so that a write meets that and not a namesake. Opaque to others.
	Ref string
}

// A Record is what to store at one name. [Form.Record] makes it.
type Record struct {
	Owner       Owner
	Body        credential.Secret // exactly the bytes that the sink will hold
	Fingerprint credential.Fingerprint
	Key         string // ID of the key that Fingerprint was made with
}

// A Sink stores one secret per name. Its methods are safe for concurrent use
// and return soon after ctx ends. They retry what is transient, three attempts
// at most, and nobody above them retries: an error they return is final for
// this run, [ErrConflict] aside.
//
// A context that is over before the call means that nothing is sent.
type Sink interface {
	// Inspect tells what is at name without reading its value. A name never
	// written has the zero State and no error; a failure is never an absence.
	Inspect(ctx context.Context, name string) (State, error)

	// Put stores r at name if the sink is still in the state prev, which
	// Inspect returned and whose Owner, where it has one, is r.Owner; else the
	// error wraps ErrConflict or, where the mark of another stands there now,
	// ErrForeign. On nil the value is durable under its mark and the
	// returned State is what Inspect would say. Putting what already
	// stands there makes no new version where the sink can tell.
	Put(ctx context.Context, name string, r Record, prev State) (State, error)
}

// A Lister is a Sink that tells the states of all that bears instance's mark in
// a few calls: found is called with each, one at a time, and keeps what it needs.
// What was found counts for nothing where List fails. The listing may lag behind
// and leave out what was just written: a write is always decided on a fresh
// Inspect.
type Lister interface {
	List(ctx context.Context, instance string, found func(name string, s State)) error
}

// An Orphaner is a Sink that finds what bears instance's mark at names which
// are not known, among the names that its template can render.
type Orphaner interface {
	Orphans(ctx context.Context, instance string, known func(name string) bool) (map[string]State, error)
}

// An Adopter is a Sink that can take over what exists: it sets the mark of
// owner on the secret at name if it is still in the state prev, and leaves the
// value alone. The next Put sets the value. It fails like Put.
type Adopter interface {
	Adopt(ctx context.Context, name string, owner Owner, prev State) (State, error)
}

// A Checker is a Sink that can prove that it is reachable and that our identity
// is accepted, without writing anything. What works but should be better comes
// back as advice, a sentence each.
type Checker interface {
	Check(ctx context.Context) (advice []string, err error)
}

// A Keeper is a Sink whose access has to be kept alive while nothing is written:
// a token that ends unless it is renewed. Keep does that until ctx ends and then
// returns nil. It tries again what can heal by itself; an error means that access
// is lost until an operator acts, and Keep may be called again later. Only a
// daemon needs it: without Keep each call sees to its own access.
type Keeper interface {
	Keep(ctx context.Context) error
}

// Package vaultkv is the sink that writes to the key-value secrets engine of
// HashiCorp Vault or OpenBao, in its versions 2 and 1.
//
// In version 2 no value is ever read. What credsync has to know about a secret
// stands in its custom metadata, under seven keys:
//
//	credsync_owner        the instance that wrote it
//	credsync_skill        the skill whose pair it is
//	credsync_version      the number of the version that we wrote last
//	credsync_created      the creation time of that version
//	credsync_replaced     the creation time that we had seen of the version before
//	credsync_fingerprint  the fingerprint of what we wrote in it
//	credsync_key          the ID of the fingerprint's key
//
// A secret is ours if owner and skill say so, and current if number and creation
// time are those of the version that stands there now. The number alone would be
// a weak identity: it starts anew after the metadata were deleted. Check-and-set
// knows nothing else, so each look also checks what our version replaced.
//
// A new secret is claimed before it is written, by a POST of the metadata. The
// policy makes that safe: with create and without update on metadata, Vault
// refuses the claim of a path that exists. Then the data are written under
// check-and-set, and a PATCH of the metadata confirms them. A crash between any
// two of these leaves a state from which the next run goes on.
//
// Version 1 has neither metadata nor check-and-set; see kv1.go for what is lost.
package vaultkv

import (
	"context"
	"fmt"
	"net/url"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
)

var (
	_ sink.Sink     = (*Sink)(nil)
	_ sink.Orphaner = (*Sink)(nil)
	_ sink.Adopter  = (*Sink)(nil)
	_ sink.Checker  = (*Sink)(nil)
	_ sink.Keeper   = (*Sink)(nil)
)

// Options are what a [Sink] needs besides its configuration. The zero Options
// will do.
type Options struct {
	// Observe hears of every request; may be nil.
	Observe wire.Observer
	// Instance is rendered into the path whose rights [Sink.Check] asks about.
	Instance string
}

// A Sink keeps one secret per name below a KV mount. Its methods retry what is
// transient, three attempts at most per request, and are safe for concurrent use.
//
// A path that was claimed and never filled has an Owner, no Version, and doesn't
// exist. A path with metadata of others and no version counts as existing, so
// that it reads as foreign.
type Sink struct {
	config   Config
	instance string
	template sink.Template
	client   *client
	mount    *mount
	engine   engine
}

// An engine is one version of the KV secrets engine.
type engine interface {
	sink.Sink
	sink.Adopter
}

// Open returns the sink that c describes, which must have no [Config.Faults]. It
// reads the file of authorities and nothing else: secrets are read at the first
// use, and the network is left alone until then.
func Open(c Config, o Options) (*Sink, error) {
	base, err := url.Parse(c.Address)
	if err != nil {
		return nil, fmt.Errorf("vault: address is not a URL: %w", sink.ErrInvalid)
	}
	template, err := sink.ParseTemplate(c.Path)
	if err != nil {
		return nil, fmt.Errorf("vault: path: %w: %w", sink.ErrInvalid, err)
	}
	cl, err := newClient(c, base, o.Observe)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	s := &Sink{config: c, instance: o.Instance, template: template, client: cl, mount: newMount(cl)}
	s.engine = &kv2{client: cl}
	if c.version() == 1 {
		s.engine = newKV1(cl)
	}
	return s, nil
}

// Fresh reports whether the file of authorities still holds what Open read: if
// not, Open makes another sink of the same configuration.
func (s *Sink) Fresh() bool { return s.client.wire.Fresh() }

// CloseIdleConnections closes the connections that no call uses.
func (s *Sink) CloseIdleConnections() { s.client.http.CloseIdleConnections() }

// Inspect makes one request. See [sink.Sink].
func (s *Sink) Inspect(ctx context.Context, name string) (sink.State, error) {
	if err := begin(ctx, name); err != nil {
		return sink.State{}, err
	}
	return s.engine.Inspect(ctx, name)
}

// Put makes two requests for an update and three for a new secret or a repair.
// The first Put or Adopt of a Sink also asks for the kind of the mount. In
// version 2 an answer that is lost on its way costs a version: what stands there
// then can't be told from a stranger's without reading it. Where the secret was
// made anew since the look, with our mark copied, Put does not notice, and Inspect
// does from then on. See [sink.Sink].
func (s *Sink) Put(ctx context.Context, name string, r sink.Record, prev sink.State) (sink.State, error) {
	if err := begin(ctx, name); err != nil {
		return sink.State{}, err
	}
	if strange(prev) || !prev.Owner.IsZero() && prev.Owner != r.Owner {
		return sink.State{}, s.refuse(ctx, name, r.Owner, prev)
	}
	if err := s.mount.prove(ctx); err != nil {
		return sink.State{}, err
	}
	return s.engine.Put(ctx, name, r, prev)
}

// Adopt sets our mark on what stands at name. In version 2 it needs the right to
// patch metadata and no more. The comparison with prev and the change are two
// requests: what happens between them is not seen, but as no value changes,
// nothing is lost by it. See [sink.Adopter].
func (s *Sink) Adopt(ctx context.Context, name string, owner sink.Owner, prev sink.State) (sink.State, error) {
	if err := begin(ctx, name); err != nil {
		return sink.State{}, err
	}
	if prev == (sink.State{}) {
		return sink.State{}, fmt.Errorf("adopt %s: nothing is there: %w", name, sink.ErrInvalid)
	}
	if err := s.mount.prove(ctx); err != nil {
		return sink.State{}, err
	}
	return s.engine.Adopt(ctx, name, owner, prev)
}

// begin is what holds before anything is sent.
func begin(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if problem := badPath(name); problem != "" {
		return fmt.Errorf("name %q %s: %w", name, problem, sink.ErrInvalid)
	}
	return nil
}

// refuse returns why what prev shows is not to be written to by owner.
func (s *Sink) refuse(ctx context.Context, name string, owner sink.Owner, prev sink.State) error {
	now, err := s.engine.Inspect(ctx, name)
	switch {
	case err != nil:
		return err
	case now != prev:
		return moved(now, owner)
	}
	return fmt.Errorf("the mark is not ours: %w", sink.ErrForeign)
}

// moved is the error for finding now where something else was, for a writer who
// acts for owner.
func moved(now sink.State, owner sink.Owner) error {
	if !now.Owner.IsZero() && now.Owner != owner {
		return fmt.Errorf("the mark of another stands there: %w", sink.ErrForeign)
	}
	return fmt.Errorf("another state was found: %w", sink.ErrConflict)
}

// strange reports whether something without our mark is at the path.
func strange(s sink.State) bool { return s.Exists && s.Owner.IsZero() }

// Package memory is a sink that lives in the process: the reference for what
// [sink.Sink] means, and the sink that the engine is tested with. The methods
// in hand.go are the hands of everybody else: they change what is stored
// without asking, as other tools do to a real backend.
package memory

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// attempts is how often a transient failure is met before it is final.
const attempts = 3

// A Sink keeps secrets in memory. The zero Sink is empty and ready to use; it
// must not be copied. Its exported fields are set before its first use, or never.
type Sink struct {
	// MaxBody is the largest body in bytes that Put takes; 0 means any.
	MaxBody int
	// Before is asked at the start of each attempt, with the name of the method
	// ("Inspect", "Put", "List", "Adopt") and the name of the secret; where it
	// returns an error, nothing is done and that is the answer. It may call the
	// methods of the Sink. Nil lets everything pass.
	Before func(ctx context.Context, method, name string) error
	// After is asked once an attempt succeeded; where it returns an error, that
	// is the answer in place of the true one. Nil lets everything pass.
	After func(ctx context.Context, method, name string) error

	mu       sync.Mutex
	secrets  map[string]*secret
	born     int // secrets ever created
	requests int
}

// A secret is what stands at one name.
type secret struct {
	mark
	body    credential.Secret
	version int // 0: claimed and never filled
	born    int // tells it from a namesake that stood here before
	deleted bool
}

// A mark is what stands beside a value. It names the one value that it is of:
// where another one stands, that was altered.
type mark struct {
	owner         sink.Owner
	fingerprint   credential.Fingerprint
	key           string
	born, version int
}

var (
	_ sink.Sink    = (*Sink)(nil)
	_ sink.Lister  = (*Sink)(nil)
	_ sink.Adopter = (*Sink)(nil)
)

// Form says how records of this sink are made: as JSON, of the kind "memory".
func (s *Sink) Form() sink.Form { return sink.Form{Kind: "memory", Encode: sink.JSON} }

// Inspect implements [sink.Sink].
func (s *Sink) Inspect(ctx context.Context, name string) (sink.State, error) {
	return s.do(ctx, "Inspect", name, func() (sink.State, error) { return s.secrets[name].state(), nil })
}

// Put implements [sink.Sink]. A record that stands there already is not
// written again, whatever prev is: that is how an attempt whose answer was lost
// ends well.
func (s *Sink) Put(ctx context.Context, name string, r sink.Record, prev sink.State) (sink.State, error) {
	return s.do(ctx, "Put", name, func() (sink.State, error) {
		now := s.secrets[name].state()
		switch {
		case s.MaxBody > 0 && len(r.Body.Reveal()) > s.MaxBody:
			return sink.State{}, fmt.Errorf("the body has more than %d bytes: %w", s.MaxBody, sink.ErrInvalid)
		case (now.Exists || !now.Owner.IsZero()) && now.Owner != r.Owner:
			return sink.State{}, sink.ErrForeign
		case now.Fingerprint == r.Fingerprint && now.Key == r.Key:
			return now, nil
		case now != prev:
			return sink.State{}, sink.ErrConflict
		}
		c := s.at(name)
		c.version++
		c.mark = mark{owner: r.Owner, fingerprint: r.Fingerprint, key: r.Key, born: c.born, version: c.version}
		c.body, c.deleted = r.Body, false
		return c.state(), nil
	})
}

// Adopt implements [sink.Adopter].
func (s *Sink) Adopt(ctx context.Context, name string, owner sink.Owner, prev sink.State) (sink.State, error) {
	return s.do(ctx, "Adopt", name, func() (sink.State, error) {
		switch now := s.secrets[name].state(); {
		case now != prev:
			return sink.State{}, sink.ErrConflict
		case !now.Exists:
			return sink.State{}, fmt.Errorf("nothing stands there: %w", sink.ErrInvalid)
		}
		c := s.secrets[name]
		c.mark = mark{owner: owner}
		return c.state(), nil
	})
}

// List implements [sink.Lister]. It doesn't lag.
func (s *Sink) List(ctx context.Context, instance string, found func(string, sink.State)) error {
	listed := make(map[string]sink.State)
	_, err := s.do(ctx, "List", "", func() (sink.State, error) {
		for name, c := range s.secrets {
			if c.owner.Instance == instance {
				listed[name] = c.state()
			}
		}
		return sink.State{}, nil
	})
	if err != nil {
		return err
	}
	for name, state := range listed {
		found(name, state)
	}
	return nil
}

// do makes the attempts of one method: work runs under the lock.
func (s *Sink) do(ctx context.Context, method, name string, work func() (sink.State, error)) (sink.State, error) {
	var state sink.State
	var err error
	for range attempts {
		if err = ctx.Err(); err != nil {
			break
		}
		if state, err = s.attempt(ctx, method, name, work); !errors.Is(err, sink.ErrUnavailable) && !errors.Is(err, sink.ErrRateLimited) {
			break
		}
	}
	if err != nil {
		return sink.State{}, fmt.Errorf("%s: %w", method, err)
	}
	return state, nil
}

func (s *Sink) attempt(ctx context.Context, method, name string, work func() (sink.State, error)) (sink.State, error) {
	s.mu.Lock()
	s.requests++
	s.mu.Unlock()
	if s.Before != nil {
		if err := s.Before(ctx, method, name); err != nil {
			return sink.State{}, err
		}
	}
	s.mu.Lock()
	state, err := work()
	s.mu.Unlock()
	if err == nil && s.After != nil {
		err = s.After(ctx, method, name)
	}
	return state, err
}

// at returns the secret at name, a new one where there is none.
func (s *Sink) at(name string) *secret {
	if c, ok := s.secrets[name]; ok {
		return c
	}
	if s.secrets == nil {
		s.secrets = make(map[string]*secret)
	}
	s.born++
	c := &secret{born: s.born}
	s.secrets[name] = c
	return c
}

// state returns the State of c; nil is a name never written.
func (c *secret) state() sink.State {
	if c == nil {
		return sink.State{}
	}
	state := sink.State{Exists: c.version > 0, Owner: c.owner, Deleted: c.deleted, Ref: strconv.Itoa(c.born)}
	if c.version > 0 {
		state.Version = strconv.Itoa(c.version)
	}
	if m := c.mark; m.version > 0 && m.version == c.version && m.born == c.born && !c.deleted {
		state.Fingerprint, state.Key = m.fingerprint, m.key
	}
	return state
}

package vaultkv

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/credsync/credsync/internal/sink"
)

const (
	keepEvery = time.Minute // how often to look whether the token needs anything
	keepAgain = 10 * time.Second
)

// Keep renews the token, or logs in afresh, when half of its time has gone, so
// that a periodic token and one of a secret ID of few uses live on between runs.
// Most looks at the token are free of network. See [sink.Keeper].
func (s *Sink) Keep(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		var wait time.Duration
		switch err := s.client.keep(ctx); {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, sink.ErrDenied):
			return err
		case err != nil:
			wait = keepAgain
		default:
			wait = s.client.tokens.idle(keepEvery)
		}
		timer.Reset(wait)
	}
}

// keep does once what the token needs now. Of a static token it first has to
// ask how long it lasts.
func (c *client) keep(ctx context.Context) error {
	held, err := c.tokens.get(ctx)
	if err != nil || !held.since.IsZero() {
		return err
	}
	since := time.Now()
	a, err := c.call(ctx, request{method: http.MethodGet, path: "auth/token/lookup-self"})
	if err != nil {
		return err
	}
	known, err := decode[lifetime](a)
	if err != nil {
		return err
	}
	return c.tokens.learn(ctx, known, since)
}

// A lifetime is what Vault knows of a token's time, in seconds.
type lifetime struct {
	TTL       int  `json:"ttl"`          // 0 also in the last second
	Full      int  `json:"creation_ttl"` // 0 where there is no end
	Renewable bool `json:"renewable"`
}

// learn notes the lifetime of a held token whose time was not known, as it was
// told at since.
func (t *tokens) learn(ctx context.Context, l lifetime, since time.Time) error {
	if err := t.lock.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("%s: %w", opTokenLookup, ctx.Err())
	}
	defer t.lock.Release(1)
	if !t.held.secret.IsZero() && t.held.since.IsZero() {
		if l.Full > 0 {
			l.TTL = max(l.TTL, 1)
		}
		t.held = t.held.lasting(time.Duration(l.TTL)*time.Second, since)
		t.held.renewable, t.held.full = l.Renewable, time.Duration(l.Full)*time.Second
	}
	return nil
}

// idle is how long the token needs nothing, a second at least and limit at most.
func (t *tokens) idle(limit time.Duration) time.Duration {
	if !t.lock.TryAcquire(1) {
		return time.Second
	}
	defer t.lock.Release(1)
	if t.held.ttl == 0 {
		return limit
	}
	return min(limit, max(time.Second, time.Until(t.held.refresh)))
}

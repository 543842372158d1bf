package smapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/credsync/credsync/internal/source"
	"github.com/credsync/credsync/internal/wire"
)

// maxTries is how often one call is attempted while the peer is unavailable.
// Being throttled is no failure and does not count.
const maxTries = 3

// A call is one GET of the API, with all the attempts that it takes.
type call struct {
	*Source
	url       string
	throttled bool // met a 429
	renewed   bool // met a 401 and went on with a new token
}

// get returns the body of the 200 that the API gives at path. Its errors wrap
// one of package source or that of ctx.
func (s *Source) get(ctx context.Context, path string) ([]byte, error) {
	c := call{Source: s, url: s.api + path}
	body, err := retry(ctx, func() ([]byte, error) { return c.ask(ctx) })
	if err != nil {
		return nil, c.over(err)
	}
	return body, nil
}

// ask attempts the call until the answer is neither "slower" nor, once, "who
// are you?".
func (c *call) ask(ctx context.Context) ([]byte, error) {
	for {
		// Who gets no token need not wait for a slot to hear of it.
		if _, err := c.tokens.Get(ctx); err != nil {
			return nil, noToken{err}
		}
		s, err := c.pace.Wait(ctx)
		if err != nil {
			return nil, err
		}
		t, err := c.tokens.Get(ctx)
		if err != nil {
			return nil, noToken{err}
		}
		a, err := c.attempt(ctx, t)
		if err != nil {
			return nil, err
		}
		switch {
		case a.status == http.StatusTooManyRequests:
			c.throttled = true
			c.pace.Throttled(s, wire.RetryAfter(a.header))
			continue
		case a.status >= 500:
			c.pace.Hold(wire.RetryAfter(a.header))
			return nil, a.problem()
		}
		c.pace.Succeeded(s)
		if a.status != http.StatusUnauthorized {
			return a.body, a.problem()
		}
		if c.renewed {
			t.blameless.Store(true)
			return nil, fmt.Errorf("%w: a new token changed nothing, so the account has no access to this (%s)", source.ErrDenied, a)
		}
		c.renewed = true
		c.tokens.Discard(t)
	}
}

func (c *call) attempt(ctx context.Context, t *token) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return answer{}, fmt.Errorf("%w: not a URL", source.ErrInvalid)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Authorization", "Bearer "+t.access.Reveal())
	return send(ctx, c.client, req)
}

// over says what kept the call from an answer: that it was throttled says more
// than that the time was over.
func (c *call) over(err error) error {
	if c.throttled && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w until the time for asking was over", source.ErrRateLimited)
	}
	return err
}

// noToken is why there is no token to ask with. LWA was tried often enough, so it
// is not retried, whatever it wraps.
type noToken struct{ error }

func (n noToken) Unwrap() error { return n.error }

// about says what was asked for when err came. That there was no token to ask
// with has nothing to do with it, and reads the same whatever was asked for.
func about(what string, err error) error {
	if none, ok := errors.AsType[noToken](err); ok {
		return none.error
	}
	return fmt.Errorf("%s: %w", what, err)
}

// retry tries up to maxTries times with full jitter while the error is that the
// peer is unavailable. Where ctx ends before the last try, the error wraps both
// its error and that of the try before.
func retry[T any](ctx context.Context, try func() (T, error)) (T, error) {
	var last, unavailable error
	v, err := backoff.Retry(ctx, func() (T, error) {
		var v T
		v, last = try()
		if _, ok := errors.AsType[noToken](last); ok || !errors.Is(last, source.ErrUnavailable) {
			return v, permanent(last)
		}
		unavailable = last
		return v, last
	}, backoff.WithBackOff(fullJitter()), backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(0))
	if err != nil && !errors.Is(err, last) {
		err = ctx.Err() // it ended while the next try was waited for
	}
	if unavailable != nil && ended(err) {
		err = fmt.Errorf("%w after: %w", err, unavailable)
	}
	return v, err
}

// ended reports whether err is that a context ended, ours or a caller's.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func permanent(err error) error {
	if err == nil {
		return nil
	}
	return backoff.Permanent(err)
}

// fullJitter waits between nothing and 0.5 s, 1 s, 2 s … 30 s: a factor of 1
// spreads each interval over the whole of twice its length.
func fullJitter() backoff.BackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval: 250 * time.Millisecond, MaxInterval: 15 * time.Second,
		Multiplier: 2, RandomizationFactor: 1,
	}
}

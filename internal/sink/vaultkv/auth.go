package vaultkv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/vault/api"
	"golang.org/x/sync/semaphore"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// tokens is the one token of a sink: it logs in when there is none, renews in
// time and replaces what Vault no longer knows. Whoever comes first does the
// work, and the others wait for it, each no longer than its context allows.
type tokens struct {
	auth Auth
	send func(context.Context, request, credential.Secret) (answer, error)
	lock *semaphore.Weighted

	held   token // guarded by lock, as what follows
	failed failedLogin
}

// stickyRefusal is how long a refused login is not repeated with the same
// secrets: Vault locks a role or user out after a few wrong tries.
const stickyRefusal = time.Minute

// A failedLogin is what the last login met. The zero failedLogin is none.
type failedLogin struct {
	with login
	at   time.Time
	err  error
}

// covers reports whether f answers who has wanted to log in with this since
// then: a refusal for a while, an outage for those who waited meanwhile.
func (f failedLogin) covers(with login, since time.Time) bool {
	switch {
	case f.err == nil || !f.with.equal(with):
		return false
	case errors.Is(f.err, sink.ErrDenied):
		return time.Since(f.at) < stickyRefusal
	}
	return errors.Is(f.err, sink.ErrUnavailable) && f.at.After(since)
}

func newTokens(a Auth, send func(context.Context, request, credential.Secret) (answer, error)) *tokens {
	return &tokens{auth: a, send: send, lock: semaphore.NewWeighted(1)}
}

// get returns a token that is good as far as can be told.
func (t *tokens) get(ctx context.Context) (token, error) {
	since := time.Now()
	if err := t.lock.Acquire(ctx, 1); err != nil {
		return token{}, fmt.Errorf("%s: %w", opLogin, ctx.Err())
	}
	defer t.lock.Release(1)
	return t.current(ctx, since)
}

// replace forgets bad, unless somebody else did already, and returns what is
// held then.
func (t *tokens) replace(ctx context.Context, bad token) (token, error) {
	since := time.Now()
	if err := t.lock.Acquire(ctx, 1); err != nil {
		return token{}, fmt.Errorf("%s: %w", opLogin, ctx.Err())
	}
	defer t.lock.Release(1)
	if t.held.secret.Equal(bad.secret) {
		t.held = token{}
	}
	return t.current(ctx, since)
}

// current logs in or renews where it is time to. The caller holds the lock, and
// has wanted it since then.
func (t *tokens) current(ctx context.Context, since time.Time) (token, error) {
	now := time.Now()
	switch {
	case t.held.secret.IsZero() || t.held.over(now):
		fresh, err := t.login(ctx, since)
		if err != nil {
			return token{}, err
		}
		t.held = fresh
	case t.held.due(now):
		t.held = t.refresh(ctx)
	}
	return t.held, nil
}

// refresh returns the held token with more time, or one of a fresh login where
// its end is near and can't be put off any more. If neither can be had, the held
// one is still good, and the next refresh is put off.
func (t *tokens) refresh(ctx context.Context) token {
	held := t.held
	if held.renewable {
		if renewed, err := t.renew(ctx); err == nil {
			held = renewed
		}
	}
	if held.refresh.After(time.Now()) && held.ttl >= held.full/2 {
		return held
	}
	if fresh, err := t.login(ctx, time.Now()); err == nil && !fresh.secret.Equal(held.secret) {
		return fresh
	}
	held.refresh = time.Now().Add(time.Until(held.since.Add(held.ttl)) / 2)
	return held
}

func (t *tokens) renew(ctx context.Context) (token, error) {
	since := time.Now()
	a, err := t.send(ctx, request{method: http.MethodPut, path: "auth/token/renew-self"}, t.held.secret)
	if err != nil {
		return token{}, err
	}
	renewed, err := granted(a, since)
	renewed.secret, renewed.full = t.held.secret, t.held.full
	return renewed, err
}

// login gets a token as the configuration says. A static token is read where it
// is kept, and nothing is known of its time then.
func (t *tokens) login(ctx context.Context, since time.Time) (token, error) {
	if !t.auth.Token.IsZero() {
		secret, err := t.auth.Token.Read()
		if err != nil {
			return token{}, unread("auth.token", err)
		}
		return token{secret: secret}, nil
	}
	m := t.auth.method()
	with, err := m.login()
	if err != nil {
		return token{}, err
	}
	if t.failed.covers(with, since) {
		return token{}, t.failed.err
	}
	begun := time.Now()
	a, err := t.send(ctx, request{method: http.MethodPost, path: with.path, body: with.body}, credential.Secret{})
	if f, ok := errors.AsType[*failure](err); ok && f.login {
		f.problem += "; " + m.doubt()
	}
	t.failed = failedLogin{with, time.Now(), err}
	if err != nil {
		return token{}, err
	}
	return granted(a, begun)
}

// granted reads the token and its time from the answer to a login or a renewal,
// asked for at since.
func granted(a answer, since time.Time) (token, error) {
	var body struct {
		Auth *api.SecretAuth `json:"auth"`
	}
	if json.Unmarshal(a.body, &body) != nil || body.Auth == nil || body.Auth.ClientToken == "" {
		return token{}, misunderstood(a)
	}
	t := token{secret: credential.NewSecret(body.Auth.ClientToken), renewable: body.Auth.Renewable}
	return t.lasting(time.Duration(body.Auth.LeaseDuration)*time.Second, since), nil
}

// A token is what Vault knows us by, and for how long.
type token struct {
	secret    credential.Secret
	renewable bool
	since     time.Time     // when ttl began
	ttl       time.Duration // zero: it doesn't end, or nothing is known of its end
	full      time.Duration // the ttl of a fresh one
	refresh   time.Time     // when to see to it that its time goes on
}

// lasting returns t with a time of ttl from since on.
func (t token) lasting(ttl time.Duration, since time.Time) token {
	t.since, t.ttl, t.full, t.refresh = since, ttl, ttl, since.Add(ttl/2)
	return t
}

func (t token) over(now time.Time) bool { return t.ttl > 0 && now.Sub(t.since) >= t.ttl }

func (t token) due(now time.Time) bool { return t.ttl > 0 && !now.Before(t.refresh) }

// refused reports whether err means that t is no good any more: Vault says so,
// or denies what it may deny because the time of t is over.
func (t token) refused(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && (f.token || errors.Is(f, sink.ErrDenied) && t.over(time.Now()))
}

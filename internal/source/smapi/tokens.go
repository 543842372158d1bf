package smapi

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/oauth2"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

const (
	renewEarly    = time.Minute      // before an access token expires
	tokenLifetime = time.Hour        // where LWA does not say (LWA: Access Token)
	stickyFailure = time.Minute      // how long LWA is not asked again what it refused for good
	renewEvery    = 10 * time.Second // how often at most a token is got that does not help against a 401
)

// A token is an access token. It is shared by all callers.
type token struct {
	access    credential.Secret
	born      time.Time
	renew     time.Time
	refused   atomic.Bool // the API refused it
	blameless atomic.Bool // and so it did right after LWA issued it: the reason is elsewhere
}

func (t *token) fresh() bool {
	return t != nil && !t.refused.Load() && time.Now().Before(t.renew)
}

// tokens keeps the access token that all callers share. One of them asks LWA at
// a time, within its own context; those behind it find what it got.
type tokens struct {
	lwa    *lwa
	config Config
	store  TokenStore
	log    *zap.Logger

	current atomic.Pointer[token]
	denied  atomic.Pointer[failure] // the last answer but for those that say nothing; nil = a token
	asking  chan struct{}           // held by the caller that asks LWA; guards what follows
	failed  failure
	unsaved *StoredToken // what store would not take
}

// A failure is what LWA last answered instead of a token.
type failure struct {
	err   error
	grant grant
	at    time.Time
}

func newTokens(l *lwa, c Config, o Options) *tokens {
	return &tokens{lwa: l, config: c, store: o.Tokens, log: o.Log, asking: make(chan struct{}, 1)}
}

// Get returns an access token that is good for a while. Its errors wrap one of
// package source or that of ctx; all that can be retried was.
func (t *tokens) Get(ctx context.Context) (*token, error) {
	if cur := t.current.Load(); cur.fresh() {
		return cur, nil
	}
	since := time.Now()
	select {
	case t.asking <- struct{}{}:
		defer func() { <-t.asking }()
	case <-ctx.Done():
		return nil, fmt.Errorf("access token: %w", ctx.Err())
	}
	if cur := t.current.Load(); cur.fresh() {
		return cur, nil
	}
	g, err := t.grant()
	if err != nil {
		err = fmt.Errorf("access token: %w: %w", source.ErrDenied, err)
		t.denied.Store(&failure{err: err})
		return nil, err
	}
	if t.failed.covers(g, since) {
		return nil, t.failed.err
	}
	next, err := t.refresh(ctx, g)
	if err != nil {
		if errors.Is(err, source.ErrDenied) { // once for each time that LWA is asked, whoever else fails by it
			t.log.Error("no access token: no skill can be asked for until somebody mends that", zap.String("cause", err.Error()))
		}
		err = fmt.Errorf("access token: %w", err)
		t.failed = failure{err, g, time.Now()}
		if errors.Is(err, source.ErrDenied) {
			t.denied.Store(&failure{err: err})
		}
		return nil, err
	}
	t.denied.Store(nil)
	t.current.Store(next)
	t.failed = failure{}
	return next, nil
}

// Discard hears that the API refused used. The next Get brings another, unless
// a moment ago a new one did not help either: then the refusals are about the
// skills, and a token for each of them would help nobody.
func (t *tokens) Discard(used *token) {
	if !used.blameless.Load() || time.Since(used.born) >= renewEvery {
		used.refused.Store(true)
	}
}

// covers reports whether f is the answer to who has wanted a token for g since
// then. A refusal for good is for a while; that LWA was unavailable, only for
// those who waited meanwhile. That somebody's time was over is for nobody else.
func (f failure) covers(g grant, since time.Time) bool {
	switch {
	case f.err == nil || !f.grant.equal(g) || ended(f.err):
		return false
	case errors.Is(f.err, source.ErrDenied), errors.Is(f.err, source.ErrInvalid):
		return time.Since(f.at) < stickyFailure
	case errors.Is(f.err, source.ErrUnavailable):
		return !f.at.Before(since)
	}
	return false
}

// grant reads what the configuration names, as it stands now.
func (t *tokens) grant() (grant, error) {
	secret, err := t.config.ClientSecret.Read()
	if err != nil {
		return grant{}, fmt.Errorf("client_secret: %w", err)
	}
	refresh, err := t.config.RefreshToken.Read()
	if err != nil {
		return grant{}, fmt.Errorf("refresh_token: %w", err)
	}
	return grant{t.config.ClientID, secret, refresh}, nil
}

func (g grant) equal(h grant) bool {
	return g.clientID == h.clientID && g.secret.Equal(h.secret) && g.refresh.Equal(h.refresh)
}

// refresh gets a new access token for g, by the refresh token that LWA put in
// the place of the configured one, if it did.
func (t *tokens) refresh(ctx context.Context, g grant) (*token, error) {
	kept := t.kept(g)
	used := g
	if !kept.Token.IsZero() {
		used.refresh = kept.Token
	}
	got, err := t.exchange(ctx, used)
	if r, ok := errors.AsType[*refusal](err); ok && r.code == "invalid_grant" && !kept.Token.IsZero() {
		t.log.Warn("the rotated refresh token is no longer accepted; trying the configured one")
		used = g
		got, err = t.exchange(ctx, used)
	}
	if err != nil {
		return nil, err
	}
	t.keep(g, kept, rotated(used, got))
	lifetime := time.Duration(got.ExpiresIn) * time.Second
	if lifetime <= 0 {
		lifetime = tokenLifetime
	}
	now := time.Now()
	return &token{
		access: credential.NewSecret(got.AccessToken),
		born:   now,
		renew:  now.Add(lifetime - min(renewEarly, lifetime/2)),
	}, nil
}

// exchange asks LWA until it is neither throttled nor unavailable.
func (t *tokens) exchange(ctx context.Context, g grant) (*oauth2.Token, error) {
	throttled := false
	got, err := retry(ctx, func() (*oauth2.Token, error) {
		for {
			got, err := t.lwa.refreshed(ctx, g)
			if !errors.Is(err, source.ErrRateLimited) {
				return got, err
			}
			throttled = true
		}
	})
	if throttled && errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("%w until the time for asking was over", source.ErrRateLimited)
	}
	return got, err
}

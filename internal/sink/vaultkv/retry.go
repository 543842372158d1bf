package vaultkv

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
)

const (
	maxTries    = 3
	baseDelay   = 200 * time.Millisecond
	maxDelay    = 5 * time.Second
	maxPatience = time.Minute // a server that wants us to wait longer is left to the next run
)

// send makes r, three times at most, with the given token. It is the only place
// where calls are repeated.
func (c *client) send(ctx context.Context, r request, token credential.Secret) (answer, error) {
	p := &pace{}
	p.deadline, p.bounded = ctx.Deadline()
	a, err := backoff.Retry(ctx, func() (answer, error) {
		a, err := c.attempt(ctx, r, token)
		f, ok := errors.AsType[*failure](err)
		if ok && f.again && !r.once && ctx.Err() == nil {
			p.floor = f.after
			return a, err
		}
		if err != nil {
			err = backoff.Permanent(err)
		}
		return a, err
	}, backoff.WithBackOff(p), backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(0))
	if over := ctx.Err(); err != nil && over != nil {
		return a, fmt.Errorf("%s: %w", c.routes.operation(r.method, r.path, r.list), over)
	}
	if final, ok := errors.AsType[*backoff.PermanentError](err); ok {
		err = final.Unwrap()
	}
	return a, err
}

// A pace is how long to wait before each further attempt: full jitter, which is
// a uniform choice from zero to a bound that doubles, but not less than the
// server asked for. It gives up where waiting would outlast the caller.
type pace struct {
	tries    int
	floor    time.Duration
	deadline time.Time
	bounded  bool
}

// NextBackOff returns the wait before the next attempt, or [backoff.Stop].
func (p *pace) NextBackOff() time.Duration {
	wait := max(rand.N(min(maxDelay, baseDelay<<p.tries)), p.floor)
	p.tries++
	if wait > maxPatience || p.bounded && time.Until(p.deadline) <= wait {
		return backoff.Stop
	}
	return wait
}

// Reset does nothing: a pace serves one call.
func (*pace) Reset() {}

// lost is the failure of an attempt that brought no answer. The error of the
// HTTP client is not repeated: it holds the URL.
func lost(operation string, err error) *failure {
	f := &failure{operation: operation, problem: "the connection broke before the answer was whole", class: sink.ErrUnavailable, again: true}
	timeout, isNet := errors.AsType[net.Error](err)
	certificate, _ := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknown := errors.AsType[*net.DNSError](err)
	proxy, proxied := errors.AsType[*wire.ProxyError](err)
	ours, unread := errors.AsType[*failure](err)
	_, alerted := errors.AsType[tls.AlertError](err)
	switch {
	case unread:
		f.problem, f.class, f.again = ours.problem, ours.class, false
	case proxied && proxy.Denied:
		f.problem, f.class, f.again = proxy.Error(), sink.ErrDenied, false
	case proxied:
		f.problem = proxy.Error()
	case errors.Is(err, wire.ErrBodyTooLarge):
		f.problem, f.again = "the answer is larger than allowed", false
	case certificate != nil:
		f.problem, f.again = "the server's certificate is not trusted; set vault_kv.tls.ca_file or vault_kv.tls.server_name", false
	case alerted:
		f.problem = "the server broke off the TLS handshake; does it want another client certificate (auth.cert)?"
	case errors.Is(err, http.ErrSchemeMismatch):
		f.problem, f.again = "the server speaks no TLS; is vault_kv.address right?", false
	case unknown:
		f.problem = "the host of vault_kv.address is not known"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.problem = "nothing listens at vault_kv.address"
	case isNet && timeout.Timeout():
		f.problem = "no answer in time"
	}
	return f
}

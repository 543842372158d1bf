// Package wire is the HTTP transport that the adapters share. It bounds what a
// peer can do to us, whoever the peer is: each attempt ends within a timeout
// that covers the body too, bodies are limited after decompression, redirects
// are not followed, and each attempt is counted once. How a peer is reached, by
// which proxy and trusted by whom, is said by [Settings].
//
// It never retries; the adapters do, each in one place. What they share of that
// is [RetryAfter], and of judging addresses [Loopback].
package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrBodyTooLarge is what reading a body gives at its limit.
var ErrBodyTooLarge = errors.New("answer is larger than allowed")

// An Observer hears of every attempt that went out: the kind of peer ("smapi",
// "vault_kv"), what was asked, the status (0 where no answer came), how long
// the header took. It is called from many goroutines. A nil Observer is allowed.
type Observer func(target, operation string, status int, took time.Duration)

// Observe calls o unless it is nil.
func (o Observer) Observe(target, operation string, status int, took time.Duration) {
	if o != nil {
		o(target, operation, status, took)
	}
}

// A Transport is a RoundTripper with the bounds of this package. Base, Target,
// Timeout and MaxBody are required.
type Transport struct {
	Base      http.RoundTripper
	Target    string                     // the kind of peer, for Observe
	Operation func(*http.Request) string // names what a request asks; nil = its method
	Timeout   time.Duration              // of one attempt, from its start to the end of its body
	MaxBody   int64                      // in bytes, decompressed
	Observe   Observer
}

// ParseURL parses raw, and reports whether that is an absolute URL with a host.
func ParseURL(raw string) (u *url.URL, ok bool) {
	u, err := url.Parse(raw)
	return u, err == nil && u.Hostname() != ""
}

// Loopback reports whether host, as [net/url.URL.Hostname] gives it, is this
// machine by its name or address: plain HTTP to it crosses no network.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// NewClient returns a client on t that hands redirects back as they came.
func NewClient(t *Transport) *http.Client {
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// RoundTrip makes one attempt. What a proxy kept from the peer is a [*ProxyError].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), t.Timeout)
	operation := req.Method
	if t.Operation != nil {
		operation = t.Operation(req)
	}
	start := time.Now()
	resp, err := t.Base.RoundTrip(req.WithContext(ctx))
	if err == nil && resp.StatusCode == http.StatusProxyAuthRequired { // no peer of ours says that
		_ = resp.Body.Close()
		err = proxyAnswered(resp.StatusCode)
	}
	if err != nil {
		cancel()
		t.Observe.Observe(t.Target, operation, 0, time.Since(start))
		return nil, proxied(err)
	}
	t.Observe.Observe(t.Target, operation, resp.StatusCode, time.Since(start))
	resp.Body = &body{ReadCloser: resp.Body, left: t.MaxBody, cancel: cancel}
	return resp, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach Base.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.Base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// A body ends with an error, not silently, where it passes its limit, and frees
// the attempt's timer when closed.
type body struct {
	io.ReadCloser
	left   int64
	cancel context.CancelFunc
}

func (b *body) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrBodyTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n + int(b.left), ErrBodyTooLarge
	}
	return n, err
}

func (b *body) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// Package smapi is the source of credentials that Amazon runs: the Skill
// Management API, which hands out the OAuth pair of each skill, and Login with
// Amazon (LWA), which hands out the token to ask it with.
//
// Everything that Amazon's answers could do to us ends here. A pair is decoded
// strictly or not at all; one token serves all callers; one pace holds for the
// whole source; what is transient is tried again here and nowhere above; and no
// error of this package holds a word of a body but the codes listed in it.
package smapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/source"
	"github.com/credsync/credsync/internal/wire"
)

const (
	attemptTimeout = 15 * time.Second
	maxAnswer      = 1 << 20  // bytes of an answer of the API: a page of 50 skills is some 50 KiB
	maxTokenAnswer = 64 << 10 // bytes of an answer of LWA: tokens end at 2 KiB
	userAgent      = "credsync"
)

var (
	_ source.Source   = (*Source)(nil)
	_ source.Verifier = (*Source)(nil)
	_ source.Lister   = (*Source)(nil)
)

// Options are what a [Source] needs beside its [Config]. The zero Options work.
type Options struct {
	Observe wire.Observer     // hears of every attempt, as "smapi" or "lwa"; nil = nobody
	Tokens  TokenStore        // where a rotated refresh token is kept; nil = in memory
	Pace    LearnedPace       // what [Source.LearnedPace] said at the end of an earlier run; zero = nothing
	Log     *zap.Logger       // nil = no log
	Base    http.RoundTripper // under all requests; nil = connections of its own, as Config.TLS and Config.Proxy say
}

// A Source is one Amazon developer account. Its methods are safe for concurrent
// use. They pace themselves and retry what is transient, so an error is final
// for this run; an error that says the deadline passed may come before it does,
// where waiting could only have ended there.
type Source struct {
	api    string // without a slash at its end
	client *http.Client
	tokens *tokens
	lwa    *lwa
	pace   *pace
	base   *wire.Base // nil where Options have one
}

// Open returns the source that c describes, which has no [Config.Faults]. But for
// the file of authorities, nothing is read or asked before the first call.
func Open(c Config, o Options) (*Source, error) {
	if o.Base != nil {
		return open(c, o, o.Base), nil
	}
	base, err := c.wire().Base()
	if err != nil {
		return nil, err
	}
	s := open(c, o, base)
	s.base = base
	return s, nil
}

// Fresh reports whether the file of authorities still holds what Open read: if
// not, Open makes another source of the same configuration.
func (s *Source) Fresh() bool { return s.base == nil || s.base.Fresh() }

func open(c Config, o Options, base http.RoundTripper) *Source {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Tokens == nil {
		o.Tokens = MemoryTokens(o.Log)
	}
	l := &lwa{
		url:    c.tokenURL(),
		token:  lwaClient(base, "token", o.Observe),
		verify: lwaClient(base, "verify", o.Observe),
		pace:   newPace(c.startRate(), c.maxRate()),
	}
	s := &Source{
		api: strings.TrimRight(c.apiURL(), "/"),
		client: wire.NewClient(&wire.Transport{
			Base: base, Target: "smapi", Operation: operation,
			Timeout: attemptTimeout, MaxBody: maxAnswer, Observe: o.Observe,
		}),
		tokens: newTokens(l, c, o),
		lwa:    l,
		pace:   newPace(c.startRate(), c.maxRate()),
	}
	s.pace.resume(o.Pace)
	return s
}

func lwaClient(base http.RoundTripper, operation string, o wire.Observer) *http.Client {
	return wire.NewClient(&wire.Transport{
		Base: base, Target: "lwa", Operation: func(*http.Request) string { return operation },
		Timeout: attemptTimeout, MaxBody: maxTokenAnswer, Observe: o,
	})
}

// operation names what a request asks of the API.
func operation(r *http.Request) string {
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/credentials"):
		return "credentials"
	case strings.HasSuffix(path, "/v1/vendors"):
		return "vendors"
	}
	return "skills"
}

// Pace returns the requests a second that the source allows itself now.
func (s *Source) Pace() float64 { return s.pace.Rate() }

// Throttled returns how many answers of the API and of LWA said that we ask too
// often.
func (s *Source) Throttled() int { return s.pace.Throttles() + s.lwa.pace.Throttles() }

// Denied returns why LWA, at its last clear answer, gave no access token; nil
// where it gave one, or was not asked yet. As long as it holds no skill can be
// asked for.
func (s *Source) Denied() error {
	if f := s.tokens.denied.Load(); f != nil {
		return f.err
	}
	return nil
}

// LearnedPace returns what the source learned of what Amazon allows, for
// [Options] of the next run; zero where there is nothing new.
func (s *Source) LearnedPace() LearnedPace { return s.pace.learned() }

// Check proves, with one call that reads nothing secret, that LWA accepts our
// identity and that the API accepts the token.
func (s *Source) Check(ctx context.Context) error {
	_, err := s.vendors(ctx)
	return err
}

// CloseIdleConnections closes the connections that no call uses.
func (s *Source) CloseIdleConnections() { s.client.CloseIdleConnections() }

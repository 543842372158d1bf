package vaultkv

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
)

const (
	attemptTimeout = 15 * time.Second
	maxAnswer      = 16 << 20 // the names of 200,000 secrets
)

// A request is one call of Vault's API.
type request struct {
	method    string
	path      string            // below /v1/
	list      bool              // asks for the names below path
	body      credential.Secret // JSON, or empty
	namespace string            // below the configured one; only to see that it is refused
	once      bool              // not to be repeated: nothing makes it conditional
}

// An answer is what came back, whole.
type answer struct {
	operation  string
	status     int
	date       time.Time     // by the server's clock
	retryAfter time.Duration // zero where the server named none
	body       []byte
}

// A client makes the calls of one sink. It is made of the parts of the API
// package that the environment can't reach: its Client reads some twenty VAULT_*
// variables and won't start where one of them is malformed.
type client struct {
	base      *url.URL
	namespace string
	routes    routes
	http      *http.Client
	door      *http.Client // for what is about who we are; see newClient
	wire      *wire.Base
	tokens    *tokens
}

// newClient opens no connection.
func newClient(c Config, base *url.URL, observe wire.Observer) (*client, error) {
	transport, err := c.wire().Base()
	if err != nil {
		return nil, err
	}
	cl := &client{base: base, namespace: c.namespace(), routes: routes{mount: c.mount(), version: c.version()}, wire: transport}
	cl.http = cl.over(transport, observe)
	cl.door = cl.http
	if c.Auth.Cert != (Cert{}) {
		transport.TLSClientConfig.GetClientCertificate = c.Auth.Cert.present
		// A connection that is kept shows the pair of its beginning: a login and
		// a renewal are to show that of now.
		fresh := transport.Clone()
		fresh.DisableKeepAlives = true
		cl.door = cl.over(fresh, observe)
	}
	cl.tokens = newTokens(c.Auth, cl.send)
	return cl, nil
}

// over returns the bounded client that sends by transport.
func (c *client) over(transport http.RoundTripper, observe wire.Observer) *http.Client {
	prefix := strings.TrimRight(c.base.Path, "/") + "/v1/"
	return wire.NewClient(&wire.Transport{
		Base:    transport,
		Target:  kind,
		Timeout: attemptTimeout,
		MaxBody: maxAnswer,
		Observe: observe,
		Operation: func(req *http.Request) string {
			return c.routes.operation(req.Method, strings.TrimPrefix(req.URL.Path, prefix), req.URL.RawQuery != "")
		},
	})
}

// call makes r with the sink's token. Where Vault doesn't know it, which is how
// it says that a token has expired, r is made once more with a fresh one.
func (c *client) call(ctx context.Context, r request) (answer, error) {
	t, err := c.tokens.get(ctx)
	if err != nil {
		return answer{}, err
	}
	a, err := c.send(ctx, r, t.secret)
	if !t.refused(err) {
		return a, err
	}
	fresh, loginErr := c.tokens.replace(ctx, t)
	switch {
	case loginErr != nil:
		return answer{}, loginErr
	case fresh.secret.Equal(t.secret): // what auth.token points to
		if f, ok := errors.AsType[*failure](err); ok {
			f.problem += "; put a new one where auth.token points"
		}
		return a, err
	}
	return c.send(ctx, r, fresh.secret)
}

// attempt makes r once.
func (c *client) attempt(ctx context.Context, r request, token credential.Secret) (answer, error) {
	a := answer{operation: c.routes.operation(r.method, r.path, r.list)}
	req, err := c.encode(ctx, r, token)
	if err != nil {
		return a, &failure{operation: a.operation, problem: "the request can't be built", class: sink.ErrInvalid}
	}
	by := c.http
	if strings.HasPrefix(r.path, "auth/") {
		by = c.door
	}
	resp, err := by.Do(req)
	if err != nil {
		return a, lost(a.operation, err)
	}
	defer resp.Body.Close()
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		return a, lost(a.operation, err)
	}
	a.status = resp.StatusCode
	if a.date, err = http.ParseTime(resp.Header.Get("Date")); err != nil {
		a.date = time.Now()
	}
	a.retryAfter = wire.RetryAfter(resp.Header)
	if f := classify(a); f != nil {
		return a, f
	}
	return a, nil
}

func (c *client) encode(ctx context.Context, r request, token credential.Secret) (*http.Request, error) {
	u := *c.base
	u.Path = strings.TrimRight(u.Path, "/") + "/v1/" + r.path
	out := api.Request{
		Method:      r.method,
		URL:         &u,
		Host:        u.Host,
		Params:      url.Values{},
		ClientToken: token.Reveal(),
		Headers:     http.Header{api.RequestHeaderName: {"true"}, "User-Agent": {"credsync"}},
	}
	if r.list {
		out.Params.Set("list", "true")
	}
	if ns := strings.Trim(c.namespace+"/"+r.namespace, "/"); ns != "" {
		out.Headers.Set(api.NamespaceHeaderName, ns)
	}
	if !r.body.IsZero() {
		out.BodyBytes = []byte(r.body.Reveal())
		out.Headers.Set("Content-Type", "application/json")
	}
	if r.method == http.MethodPatch {
		out.Headers.Set("Content-Type", "application/merge-patch+json")
	}
	req, err := out.ToHTTP()
	if err != nil {
		return nil, err
	}
	return req.WithContext(ctx), nil
}

// decode returns the data of a. Its error doesn't show what is wrong with them.
func decode[T any](a answer) (T, error) {
	var envelope struct {
		Data *T `json:"data"`
	}
	if json.Unmarshal(a.body, &envelope) != nil || envelope.Data == nil {
		var none T
		return none, misunderstood(a)
	}
	return *envelope.Data, nil
}

// misunderstood is the error for an answer that lacks what it has to hold.
func misunderstood(a answer) error {
	return &failure{operation: a.operation, problem: "the answer is not what Vault sends there", class: sink.ErrUnavailable}
}

// encodeJSON returns v as the body of a request. It marshals what can't fail to.
func encodeJSON(v any) credential.Secret {
	b, err := json.Marshal(v)
	if err != nil {
		return credential.Secret{}
	}
	return credential.NewSecret(string(b))
}

package smapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
	"github.com/credsync/credsync/internal/wire"
)

// An lwa is Login with Amazon's token endpoint. Its methods make one attempt
// each, when its pace allows.
type lwa struct {
	url           string
	token, verify *http.Client
	pace          *pace
}

// A grant is what a token is asked for with.
type grant struct {
	clientID        string
	secret, refresh credential.Secret
}

// A refusal is an answer of LWA that is no token.
type refusal struct {
	status int
	code   string // of RFC 6749 §5.2, one of remedies or empty
	err    error  // wraps one of package source
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// remedies says for each error code of LWA what it means for the operator, and
// what to do. All of them are final: the same request meets the same answer.
var remedies = map[string]string{
	"invalid_grant":          "the refresh token is not accepted: the user removed the app, it was made with another security profile, or Amazon replaced it in an earlier run that had no state_dir; make a new one and put it where refresh_token points (credsync login does both)",
	"invalid_client":         "client_id and client_secret are not accepted: copy both anew from the security profile",
	"unauthorized_client":    "this client may not use the refresh token: get one with the security profile that client_id names (credsync login)",
	"invalid_scope":          "the client may not use a scope: get a refresh token with the scope alexa::ask:skills:readwrite (credsync login)",
	"invalid_request":        "the request is malformed: look at client_id and at what refresh_token points to, each is one line of text",
	"unsupported_grant_type": "the endpoint does not know the grant: is token_url right?",
	"access_denied":          "the user or Amazon denied access: get a new refresh token (credsync login)",
}

// refreshed asks for an access token with the refresh token of g.
func (l *lwa) refreshed(ctx context.Context, g grant) (*oauth2.Token, error) {
	return l.attempt(ctx, l.token, func(ctx context.Context) (*oauth2.Token, error) {
		c := oauth2.Config{
			ClientID: g.clientID, ClientSecret: g.secret.Reveal(),
			Endpoint: oauth2.Endpoint{TokenURL: l.url, AuthStyle: oauth2.AuthStyleInParams},
		}
		return c.TokenSource(ctx, &oauth2.Token{RefreshToken: g.refresh.Reveal()}).Token()
	})
}

// proven asks for a token with a skill's own pair.
func (l *lwa) proven(ctx context.Context, c credential.Credential) (*oauth2.Token, error) {
	return l.attempt(ctx, l.verify, func(ctx context.Context) (*oauth2.Token, error) {
		c := clientcredentials.Config{
			ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(), Scopes: []string{messagingScope},
			TokenURL: l.url, AuthStyle: oauth2.AuthStyleInParams,
		}
		return c.Token(ctx)
	})
}

// attempt makes one request by exchange, and translates what comes back. Being
// throttled is a refusal that wraps [source.ErrRateLimited].
func (l *lwa) attempt(ctx context.Context, client *http.Client, exchange func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	s, err := l.pace.Wait(ctx)
	if err != nil {
		return nil, err
	}
	t, err := exchange(context.WithValue(ctx, oauth2.HTTPClient, client))
	if err == nil {
		l.pace.Succeeded(s)
		return t, usable(t)
	}
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return nil, wireError(ctx, "token_url", err)
	}
	r, wait := refusalOf(refused), wire.RetryAfter(refused.Response.Header)
	switch {
	case errors.Is(r, source.ErrRateLimited):
		l.pace.Throttled(s, wait)
	case r.status >= 500:
		l.pace.Hold(wait)
	default:
		l.pace.Succeeded(s)
	}
	return nil, r
}

// refusalOf translates e, whose text repeats the body. The request is not named:
// a failure of all skills has the same text for each, and can be told once.
func refusalOf(e *oauth2.RetrieveError) *refusal {
	r := &refusal{status: e.Response.StatusCode}
	a := answer{status: r.status}
	remedy, known := remedies[e.ErrorCode]
	switch {
	case r.status == http.StatusTooManyRequests || e.ErrorCode == "slow_down":
		r.err = fmt.Errorf("%w (%s)", source.ErrRateLimited, a)
	case r.status >= 500:
		r.err = fmt.Errorf("%w (%s)", source.ErrUnavailable, a)
	case known:
		r.code = e.ErrorCode
		r.err = fmt.Errorf("%w: %s (%s, %s)", source.ErrDenied, remedy, r.code, a)
	case r.status >= 300 && r.status < 400:
		r.err = fmt.Errorf("%w: redirect refused; is token_url right? (%s)", source.ErrInvalid, a)
	case e.ErrorCode != "":
		r.err = fmt.Errorf("%w: for a reason that is not documented (%s)", source.ErrDenied, a)
	default:
		r.err = fmt.Errorf("%w: not an answer of Login with Amazon (%s)", source.ErrUnavailable, a)
	}
	return r
}

// maxToken is the longest access token that is taken; LWA's end at 2048 bytes.
const maxToken = 4096

// usable reports what is wrong with t. A type other than bearer may not be used
// by who does not know it (RFC 6749 §7.1).
func usable(t *oauth2.Token) error {
	if t.AccessToken == "" || len(t.AccessToken) > maxToken || !printable(t.AccessToken) || !strings.EqualFold(t.Type(), "bearer") {
		return fmt.Errorf("%w: what came is no bearer token", source.ErrUnavailable)
	}
	return nil
}

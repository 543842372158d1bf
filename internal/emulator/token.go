package emulator

import (
	"net/http"
	"slices"
	"time"

	"github.com/credsync/credsync/internal/credential"
)

// The grants that LWA's emulation knows.
const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
	grantClient  = "client_credentials"
)

// messagingScope is the scope that every pair of a skill may ask for.
const messagingScope = "alexa:skill_messaging"

// required are the parameters without which a grant is none.
var required = map[string][]string{
	grantCode:    {"client_id", "client_secret", "code", "redirect_uri"},
	grantRefresh: {"client_id", "client_secret", "refresh_token"},
	grantClient:  {"client_id", "client_secret", "scope"},
}

// credentialKeys must not stand in a query: LWA answers 500 to that.
var credentialKeys = []string{"grant_type", "client_id", "client_secret", "refresh_token", "code"}

// token answers a token request.
func (a *Amazon) token(c *call, now time.Time) answer {
	grant := c.form.Get("grant_type")
	switch {
	case slices.ContainsFunc(credentialKeys, c.query.Has):
		return lwaFailure(http.StatusInternalServerError, "")
	case c.form == nil:
		return lwaFailure(http.StatusBadRequest, "invalid_request")
	case grant == "":
		return lwaFailure(http.StatusBadRequest, "invalid_request:grant_type")
	case required[grant] == nil:
		return lwaFailure(http.StatusBadRequest, "unsupported_grant_type")
	}
	for _, key := range required[grant] {
		if c.form.Get(key) == "" {
			return lwaFailure(http.StatusBadRequest, "invalid_request:"+key)
		}
	}
	own, ok := a.authenticate(c)
	switch {
	case !ok:
		return lwaFailure(http.StatusUnauthorized, "invalid_client")
	case grant == grantClient:
		return a.mintMessaging(own, c.form.Get("scope"))
	case !own:
		// A refresh token is bound to one client, and so is a code.
		return lwaFailure(http.StatusBadRequest, "unauthorized_client")
	case grant == grantCode:
		return a.tokens.redeem(c, now)
	}
	if _, good := a.tokens.refreshable[c.form.Get("refresh_token")]; !good {
		return lwaFailure(http.StatusBadRequest, "invalid_grant")
	}
	return a.tokens.exchange(c.form.Get("refresh_token"), now)
}

// authenticate reports whether the client of c exists and proved itself, and
// whether it is the account's own LWA client. Else it is that of a skill.
func (a *Amazon) authenticate(c *call) (own, ok bool) {
	id, secret := c.form.Get("client_id"), c.form.Get("client_secret")
	if id == a.tokens.clientID {
		return true, secret == a.tokens.clientSecret
	}
	s, ok := a.skills.byClient[id]
	return false, ok && s.issued && s.clientSecret == secret
}

// mintMessaging answers a pair that proved good.
func (a *Amazon) mintMessaging(own bool, scope string) answer {
	if own || scope != messagingScope {
		return lwaFailure(http.StatusBadRequest, "invalid_scope")
	}
	return noStore(jsonAnswer(http.StatusOK, map[string]any{
		"access_token": a.mint.token("Atc", a.tokens.next()),
		"scope":        scope,
		"token_type":   "bearer",
		"expires_in":   int(a.tokens.life / time.Second),
	}))
}

// RefreshToken returns the refresh token issued last.
func (a *Amazon) RefreshToken() credential.Secret {
	a.mu.Lock()
	defer a.mu.Unlock()
	return credential.NewSecret(a.tokens.latest)
}

// SetTokens sets the life of access tokens issued from now on, in whole seconds
// (0 = one hour), and what a refresh says about the refresh token.
func (a *Amazon) SetTokens(life time.Duration, refresh Refresh) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens.set(life, refresh)
}

// ExpireTokens ends the life of all access tokens issued so far.
func (a *Amazon) ExpireTokens() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.tokens.expiry)
}

// RevokeRefreshTokens makes all refresh tokens issued so far worthless, as a
// user does who takes back the consent, and returns the one of a new consent.
// Access tokens live on until they expire.
func (a *Amazon) RevokeRefreshTokens() credential.Secret {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.tokens.refreshable)
	return credential.NewSecret(a.tokens.consent(ownScope))
}

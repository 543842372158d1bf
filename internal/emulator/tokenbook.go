package emulator

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Refresh says what the answer to a refresh holds as refresh token. All of
// these have been seen of LWA, RefreshReplace is what OAuth 2.0 allows it
// (RFC 6749 §6).
type Refresh string

// The kinds of refresh.
const (
	RefreshSame    Refresh = "same"    // the token that was sent; the default
	RefreshNew     Refresh = "new"     // another one; the one sent stays good
	RefreshReplace Refresh = "replace" // another one; the one sent is worthless from then on
	RefreshAbsent  Refresh = "absent"  // none
)

func (r Refresh) valid() bool {
	switch r {
	case "", RefreshSame, RefreshNew, RefreshReplace, RefreshAbsent:
		return true
	}
	return false
}

// tokens is what LWA has issued to the account's own client.
type tokens struct {
	mint         mint
	clientID     string // never changes, nor does the secret
	clientSecret string
	life         time.Duration
	refresh      Refresh
	codes        map[string]pledge // authorization codes not redeemed yet
	expiry       map[string]pass   // access tokens, until they expire
	refreshable  map[string]string // refresh tokens that are good, and their scopes
	latest       string            // the refresh token issued last
	issued       int               // tokens of any kind
}

func newTokens(m mint, life time.Duration, refresh Refresh) tokens {
	t := tokens{
		mint: m, clientID: m.clientID("account", 0), clientSecret: m.clientSecret("account", 0, 0),
		codes: make(map[string]pledge), expiry: make(map[string]pass), refreshable: make(map[string]string),
	}
	t.set(life, refresh)
	t.consent(ownScope)
	return t
}

func (t *tokens) set(life time.Duration, refresh Refresh) {
	if life <= 0 {
		life = time.Hour // LWA: access-token.html
	}
	t.life, t.refresh = max(life.Truncate(time.Second), time.Second), refresh
}

func (t *tokens) next() int {
	t.issued++
	return t.issued
}

// A pass is an access token as SMAPI knows it.
type pass struct {
	end   time.Time
	scope string
}

// consent issues a refresh token of that scope.
func (t *tokens) consent(scope string) string {
	t.latest = t.mint.token("Atzr", t.next())
	t.refreshable[t.latest] = scope
	return t.latest
}

// exchange answers a good refresh token with an access token.
func (t *tokens) exchange(sent string, now time.Time) answer {
	scope := t.refreshable[sent]
	body := map[string]any{
		"access_token": t.access(scope, now),
		"token_type":   "bearer",
		"expires_in":   int(t.life / time.Second),
	}
	switch t.refresh {
	case RefreshAbsent:
	case RefreshNew:
		body["refresh_token"] = t.consent(scope)
	case RefreshReplace:
		delete(t.refreshable, sent)
		body["refresh_token"] = t.consent(scope)
	default:
		body["refresh_token"] = sent
	}
	return noStore(jsonAnswer(http.StatusOK, body))
}

// access issues an access token of that scope. Those issued before stay good
// until they expire.
func (t *tokens) access(scope string, now time.Time) string {
	maps.DeleteFunc(t.expiry, func(_ string, p pass) bool { return !now.Before(p.end) })
	access := t.mint.token("Atza", t.next())
	t.expiry[access] = pass{now.Add(t.life), scope}
	return access
}

// accepts reports whether SMAPI lets this access token in, and whether it may
// see skills.
func (t *tokens) accepts(access string, now time.Time) (in, skills bool) {
	p, ok := t.expiry[access]
	return ok && now.Before(p.end), slices.ContainsFunc(strings.Fields(p.scope), func(s string) bool { return slices.Contains(listScopes, s) })
}

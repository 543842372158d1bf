package emulator

import (
	"maps"
	"net/http"
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
	expiry       map[string]time.Time // access tokens, until they expire
	refreshable  map[string]bool      // refresh tokens that are good
	latest       string               // the refresh token issued last
	issued       int                  // tokens of any kind
}

func newTokens(m mint, life time.Duration, refresh Refresh) tokens {
	t := tokens{
		mint: m, clientID: m.clientID("account", 0), clientSecret: m.clientSecret("account", 0, 0),
		expiry: make(map[string]time.Time), refreshable: make(map[string]bool),
	}
	t.set(life, refresh)
	t.consent()
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

// consent issues a refresh token.
func (t *tokens) consent() string {
	t.latest = t.mint.token("Atzr", t.next())
	t.refreshable[t.latest] = true
	return t.latest
}

// exchange answers a good refresh token with an access token. Those issued
// before stay good until they expire.
func (t *tokens) exchange(sent string, now time.Time) answer {
	maps.DeleteFunc(t.expiry, func(_ string, end time.Time) bool { return !now.Before(end) })
	access := t.mint.token("Atza", t.next())
	t.expiry[access] = now.Add(t.life)
	body := map[string]any{
		"access_token": access,
		"token_type":   "bearer",
		"expires_in":   int(t.life / time.Second),
	}
	switch t.refresh {
	case RefreshAbsent:
	case RefreshNew:
		body["refresh_token"] = t.consent()
	case RefreshReplace:
		delete(t.refreshable, sent)
		body["refresh_token"] = t.consent()
	default:
		body["refresh_token"] = sent
	}
	return noStore(jsonAnswer(http.StatusOK, body))
}

// accepts reports whether SMAPI lets this access token in.
func (t *tokens) accepts(access string, now time.Time) bool {
	end, ok := t.expiry[access]
	return ok && now.Before(end)
}

package emulator

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"maps"
	"net/http"
	"time"
)

// codeLife is how long an authorization code is good (LWA: five minutes).
const codeLife = 5 * time.Minute

// A pledge is what an authorization code was issued for.
type pledge struct {
	redirect  string
	scope     string
	challenge string // of PKCE (RFC 7636); empty = none
	plain     bool   // the challenge is the verifier itself
	until     time.Time
}

// grantCode issues a code for p.
func (t *tokens) grantCode(p pledge) string {
	code := t.mint.code(t.next())
	t.codes[code] = p
	return code
}

// redeem answers the code of c, which proved to be of the account's own client,
// with the first tokens. A code is good once, whatever comes of it.
func (t *tokens) redeem(c *call, now time.Time) answer {
	maps.DeleteFunc(t.codes, func(_ string, p pledge) bool { return !now.Before(p.until) })
	code := c.form.Get("code")
	p, ok := t.codes[code]
	delete(t.codes, code)
	switch {
	case !ok:
		return lwaRefusal(http.StatusBadRequest, "invalid_grant", "The request has an invalid grant parameter : code")
	case p.redirect != c.form.Get("redirect_uri"):
		return lwaRefusal(http.StatusBadRequest, "invalid_grant", "The request has an invalid grant parameter : redirect_uri")
	case !p.proves(c.form.Get("code_verifier")):
		return lwaRefusal(http.StatusBadRequest, "invalid_grant", "The request has an invalid grant parameter : code_verifier")
	}
	return noStore(jsonAnswer(http.StatusOK, map[string]any{
		"access_token":  t.access(p.scope, now),
		"refresh_token": t.consent(p.scope),
		"token_type":    "bearer",
		"expires_in":    int(t.life / time.Second),
	}))
}

// proves reports whether verifier belongs to the challenge of p (RFC 7636 §4.6).
func (p pledge) proves(verifier string) bool {
	got := verifier
	if !p.plain && verifier != "" {
		sum := sha256.Sum256([]byte(verifier))
		got = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return subtle.ConstantTimeCompare([]byte(got), []byte(p.challenge)) == 1
}

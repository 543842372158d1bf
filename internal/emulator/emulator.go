// Package emulator is a local Amazon: the parts of the Skill Management API
// (SMAPI) and of Login with Amazon (LWA) that credsync speaks to, for the demo,
// for tests and for anyone's own trials. [New] makes one, [Serve] puts it on
// loopback, [WriteConfig] writes a configuration that uses it.
//
//	GET  /ap/oa                          the page that asks a person for consent
//	POST /ap/oa                          its decision=allow or deny, with the same query
//	POST /auth/o2/token                  authorization_code, refresh_token and client_credentials grants
//	GET  /v1/skills/{id}/credentials     the pair of a skill
//	GET  /v1/skills?vendorId=V           the skills of a vendor, in pages
//	GET  /v1/skills/{id}/status          whether a skill exists
//	GET  /v1/vendors                     the vendors of the account
//
// All that it issues is made up from a seed and opens nothing, so it hands out
// pairs freely and keeps them as plain strings.
//
// # Control
//
// What the methods of [Amazon] do from Go, any program does by HTTP on the same
// address; answers are JSON. Requests that do not name a loopback host, and
// those that a browser sends for another site, are refused.
//
//	GET    /emulator/                    what can be done, as text
//	GET    /emulator/client              client ID and secret, refresh token and its scope, vendor
//	GET    /emulator/skills              all skills
//	POST   /emulator/skills?n=5          add skills
//	GET    /emulator/skills/{id}         one skill and its pair
//	PUT    /emulator/skills/{id}         {"client_id":…, "client_secret":…, "issued":…}, each optional
//	DELETE /emulator/skills/{id}         remove a skill
//	POST   /emulator/rotate?n=3          new secrets for those rotated longest ago; or ?skill=ID&skill=ID
//	POST   /emulator/tokens/expire       no access token issued so far works from now on
//	POST   /emulator/tokens/revoke       nor any refresh token; the answer holds a new one
//	POST   /emulator/tokens?life=5m&refresh=new   life of access tokens; same, new, replace or absent
//	GET    /emulator/returns             the Allowed Return URLs
//	POST   /emulator/returns?url=U&url=U replace the Allowed Return URLs of the security profile
//	POST   /emulator/rate?rate=20&burst=1&retry_after=1   the limit of SMAPI; rate=0 lifts it
//	POST   /emulator/errors?form=wrapped the form of error bodies: bare or wrapped
//	POST   /emulator/faults              add a [Fault]: {"operation":"credentials","status":429,"count":3}
//	GET    /emulator/faults              the faults that are still to come
//	DELETE /emulator/faults              clear them
//	GET    /emulator/requests            what was asked so far; ?last=100 adds the last requests one by one
//	DELETE /emulator/requests            start counting anew
package emulator

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/credsync/credsync/internal/credential"
)

// Options say what an [Amazon] starts with. The zero Options are an account
// without skills, without limits and without faults.
type Options struct {
	Seed       uint64        // two emulators with one seed issue the same values
	Skills     int           // skills that exist from the start
	Vendor     string        // the account's vendor ID; empty = one made from the seed
	Rate       float64       // SMAPI requests a second before a 429; 0 = no limit
	Burst      int           // requests allowed at once under that limit; at least 1
	RetryAfter bool          // a 429 of the limit carries Retry-After
	TokenLife  time.Duration // life of an access token, in whole seconds; 0 = one hour
	Refresh    Refresh       // what a refresh says about the refresh token
	Errors     Body          // form of SMAPI's error bodies: BodyBare (default) or BodyWrapped
	ReturnURLs []string      // Allowed Return URLs of the security profile; none = DefaultReturnURL
}

// An Amazon is one developer account with its skills, and the LWA client that
// credsync uses. It is an http.Handler; all its methods are safe for concurrent
// use. Make one with [New].
type Amazon struct {
	vendor  string
	mint    mint
	control http.Handler

	mu      sync.Mutex
	skills  catalog
	tokens  tokens
	returns []string
	limit   limiter
	form    Body
	faults  []Fault
	counts  counters
}

var _ http.Handler = (*Amazon)(nil)

// New returns an account as o describes it.
func New(o Options) *Amazon {
	m := mint{seed: o.Seed}
	a := &Amazon{
		vendor:  o.Vendor,
		mint:    m,
		skills:  newCatalog(m),
		tokens:  newTokens(m, o.TokenLife, o.Refresh),
		returns: returnURLs(o.ReturnURLs),
		limit:   newLimiter(o.Rate, o.Burst, o.RetryAfter),
		form:    o.Errors,
	}
	if a.vendor == "" {
		a.vendor = m.vendor()
	}
	a.skills.add(o.Skills, time.Now())
	a.control = newControl(a)
	return a
}

// Vendor returns the vendor ID of the account.
func (a *Amazon) Vendor() string { return a.vendor }

// ClientID returns the ID of the LWA client that refresh tokens are bound to.
func (a *Amazon) ClientID() string { return a.tokens.clientID }

// ClientSecret returns the secret of that client.
func (a *Amazon) ClientSecret() credential.Secret {
	return credential.NewSecret(a.tokens.clientSecret)
}

// SetErrors sets the form of SMAPI's error bodies: BodyBare or BodyWrapped.
func (a *Amazon) SetErrors(form Body) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.form = form
}

// SetRate limits SMAPI to perSecond requests a second after the first burst of
// them; 0 lifts the limit. With retryAfter a refusal says how long to wait.
func (a *Amazon) SetRate(perSecond float64, burst int, retryAfter bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.limit = newLimiter(perSecond, burst, retryAfter)
}

// ServeHTTP answers one request as Amazon would, unless a [Fault] is in its way.
func (a *Amazon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/emulator" || strings.HasPrefix(r.URL.Path, "/emulator/") {
		a.control.ServeHTTP(w, r)
		return
	}
	c := readCall(w, r)
	ans, f := a.begin(&c)
	defer a.end()
	f.deliver(w, r, ans)
}

// begin decides what c is answered and counts it. It counts before the answer
// leaves, so that a client which has its answer finds it counted.
func (a *Amazon) begin(c *call) (answer, Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if c.op == OpVerify {
		if s, ok := a.skills.byClient[c.form.Get("client_id")]; ok {
			c.skill = s.id
		}
	}
	f := a.takeFault(c)
	ans := a.faulty(f, c, now)
	ans.stamp(a.mint.requestID(a.counts.next()))
	status := ans.status
	if f.Delivery == DeliverHang || f.Delivery == DeliverReset {
		status = 0
	}
	a.counts.enter(Request{Time: now, Operation: c.op, Skill: c.skill[:min(len(c.skill), maxSkillID)], Status: status})
	return ans, f
}

func (a *Amazon) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts.leave()
}

// truth is what Amazon answers c when nothing is wrong with Amazon.
func (a *Amazon) truth(c *call, now time.Time) answer {
	switch {
	case c.op == OpOther:
		return a.failure(http.StatusNotFound, "", "There is nothing at this path. See /emulator/ for what there is.")
	case !slices.Contains(c.op.methods(), c.method):
		ans := a.failure(http.StatusMethodNotAllowed, "", "The method is not allowed here.")
		ans.header.Set("Allow", strings.Join(c.op.methods(), ", "))
		return ans
	case c.op == OpAuthorize:
		return a.authorize(c, now)
	case c.op == OpToken || c.op == OpVerify:
		return a.token(c, now)
	}
	if refused, ok := a.admit(c, now); !ok {
		return refused
	}
	if len(c.skill) > maxSkillID {
		return a.failure(http.StatusBadRequest, "INVALID_STRING_LENGTH", "The skill ID is longer than 255 characters.")
	}
	switch c.op {
	case OpCredentials:
		return a.credentials(c)
	case OpSkills:
		return a.listing(c, now)
	case OpStatus:
		return a.status(c)
	default:
		return a.vendors()
	}
}

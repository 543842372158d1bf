package emulator

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/credsync/credsync/internal/credential"
)

// An Operation is one thing that a client can ask Amazon.
type Operation string

// The operations. Anything else that is asked counts as OpOther.
const (
	OpCredentials Operation = "credentials" // SMAPI: the pair of a skill
	OpSkills      Operation = "skills"      // SMAPI: a page of the skill list
	OpVendors     Operation = "vendors"     // SMAPI: the vendors of the account
	OpStatus      Operation = "status"      // SMAPI: the status of a skill
	OpAuthorize   Operation = "authorize"   // LWA: the consent page, and what is decided there
	OpToken       Operation = "token"       // LWA: an access token for a refresh token or a code
	OpVerify      Operation = "verify"      // LWA: an access token for the pair of a skill
	OpOther       Operation = "other"
)

func (o Operation) valid() bool {
	switch o {
	case OpCredentials, OpSkills, OpVendors, OpStatus, OpAuthorize, OpToken, OpVerify, OpOther:
		return true
	}
	return false
}

func (o Operation) lwa() bool { return o == OpToken || o == OpVerify }

func (o Operation) methods() []string {
	switch {
	case o == OpAuthorize:
		return []string{http.MethodGet, http.MethodPost}
	case o.lwa():
		return []string{http.MethodPost}
	}
	return []string{http.MethodGet}
}

// lwaPath is met in any case: Amazon's SDK asks /auth/O2/token.
const lwaPath = "/auth/o2/token"

// consentPath is where browsers are sent.
const consentPath = "/ap/oa"

// maxForm bounds the body of a token request; tokens end at 2 KiB.
const maxForm = 64 << 10

// A call is a request as the emulator understands it.
type call struct {
	op      Operation
	skill   credential.SkillID // that the request names; not checked
	method  string
	bearer  string     // the access token
	query   url.Values // SMAPI
	form    url.Values // LWA; nil where the body is none that LWA reads
	body    []byte
	header  http.Header
	foreign bool // a browser sent it for another site
}

func readCall(w http.ResponseWriter, r *http.Request) call {
	c := call{op: OpOther, method: r.Method, query: r.URL.Query(), header: r.Header}
	c.bearer, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if c.bearer == r.Header.Get("Authorization") {
		c.bearer = "" // without the scheme, or in another case, it is no token
	}
	// Read to its end in any case: only then does net/http notice a client
	// that goes away.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	c.body = body
	if r.URL.Path == consentPath {
		c.op, c.foreign = OpAuthorize, http.NewCrossOriginProtection().Check(r) != nil
		c.form, _ = parseForm(r.Header.Get("Content-Type"), body)
		return c
	}
	if strings.EqualFold(r.URL.Path, lwaPath) {
		c.op = OpToken
		if err == nil {
			c.form, _ = parseForm(r.Header.Get("Content-Type"), body)
			c.basicAuth(r)
		}
		if c.form.Get("grant_type") == grantClient {
			c.op = OpVerify
		}
		return c
	}
	c.op, c.skill = route(r.URL)
	return c
}

// basicAuth lets a client name itself in the header instead of the body (LWA:
// authorization code grant).
func (c *call) basicAuth(r *http.Request) {
	id, secret, ok := r.BasicAuth()
	if ok && c.form != nil && !c.form.Has("client_id") {
		c.form.Set("client_id", id)
		c.form.Set("client_secret", secret)
	}
}

// route finds the operation of a SMAPI path and the skill named in it.
func route(u *url.URL) (Operation, credential.SkillID) {
	part := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	switch {
	case len(part) == 2 && part[0] == "v1" && part[1] == "vendors":
		return OpVendors, ""
	case len(part) < 2 || part[0] != "v1" || part[1] != "skills":
		return OpOther, ""
	case len(part) == 2:
		return OpSkills, ""
	case len(part) != 4:
		return OpOther, ""
	}
	id, err := url.PathUnescape(part[2])
	switch {
	case err != nil:
		return OpOther, ""
	case part[3] == "credentials":
		return OpCredentials, credential.SkillID(id)
	case part[3] == "status":
		return OpStatus, credential.SkillID(id)
	}
	return OpOther, ""
}

// parseForm reads the two encodings that LWA takes and Amazon's own clients
// use: a form (SDK, escaped or not) and a flat JSON object (ASK CLI).
func parseForm(contentType string, body []byte) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		return url.ParseQuery(string(body))
	case "application/json":
		var flat map[string]string
		if err := json.Unmarshal(body, &flat); err != nil {
			return nil, err
		}
		form := make(url.Values, len(flat))
		for k, v := range flat {
			form.Set(k, v)
		}
		return form, nil
	}
	return nil, errors.New("neither a form nor JSON")
}

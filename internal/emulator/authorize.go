package emulator

import (
	"bytes"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// DefaultReturnURL is the one Allowed Return URL of an account that names none:
// that of Amazon's command line tool, which credsync uses too.
const DefaultReturnURL = "http://127.0.0.1:9090/cb"

// ownScope is the scope of the refresh token that an account starts with.
const ownScope = "alexa::ask:skills:readwrite"

// ownScopes are the scopes that the account's security profile may ask for.
var ownScopes = []string{
	"alexa::ask:skills:read", "alexa::ask:skills:readwrite", "alexa::ask:skills:test",
	"alexa::ask:models:read", "alexa::ask:models:readwrite",
	"alexa::ask:catalogs:read", "alexa::ask:catalogs:readwrite", "alexa::ask:subscriptions",
	"profile", "profile:user_id", "postal_code",
}

// listScopes let a token see skills, vendors and pairs.
var listScopes = []string{"alexa::ask:skills:read", "alexa::ask:skills:readwrite"}

// Amazon's own words for a return URL that is not on the list.
const notAllowed = "The redirect URI you provided has not been whitelisted for your application. Please add your redirect URI in the 'Allowed Return URLs' section under 'Web Settings' for your Security Profile on Amazon Developer Portal."

// authorize answers GET /ap/oa with the page that asks for consent, and the
// decision that this page posts with a redirect (LWA: Authorization Code
// Grant). Where the client or its return URL is wrong, nobody is redirected.
func (a *Amazon) authorize(c *call, now time.Time) answer {
	q := c.query
	switch {
	case q.Get("client_id") != a.tokens.clientID:
		return sorry("Unknown client_id.")
	case !slices.Contains(a.returns, q.Get("redirect_uri")):
		return sorry(notAllowed)
	}
	scopes := strings.Fields(q.Get("scope"))
	method := q.Get("code_challenge_method")
	switch {
	case q.Get("response_type") != "code":
		return back(q, url.Values{"error": {"unsupported_response_type"}, "error_description": {"The authorization server does not support this response type"}})
	case len(scopes) == 0 || slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(ownScopes, s) }):
		return back(q, url.Values{"error": {"invalid_scope"}, "error_description": {"An unknown scope was requested"}})
	case method != "" && method != "S256" && method != "plain":
		return back(q, url.Values{"error": {"invalid_request"}, "error_description": {"The request has an invalid parameter : code_challenge_method"}})
	case c.method == http.MethodGet:
		return consentPage(scopes)
	case c.foreign:
		return sorry("The decision came from another site.")
	}
	switch c.form.Get("decision") {
	case "allow":
		code := a.tokens.grantCode(pledge{
			redirect: q.Get("redirect_uri"), scope: strings.Join(scopes, " "),
			challenge: q.Get("code_challenge"), plain: method != "S256", until: now.Add(codeLife),
		})
		return back(q, url.Values{"code": {code}, "scope": {strings.Join(scopes, " ")}})
	case "deny":
		return back(q, url.Values{"error": {"access_denied"}, "error_description": {"Access not permitted."}})
	}
	return sorry("The decision is to be allow or deny.")
}

// back sends the browser to the return URL with what there is to say.
func back(q, say url.Values) answer {
	to, err := url.Parse(q.Get("redirect_uri"))
	if err != nil {
		return sorry(notAllowed)
	}
	if q.Has("state") {
		say.Set("state", q.Get("state"))
	}
	to.RawQuery = say.Encode()
	ans := htmlAnswer(http.StatusFound, "")
	ans.header.Set("Location", to.String())
	return ans
}

// Amazon's pages, in short. Escaping is html/template's business.
var (
	sorryPage = template.Must(template.New("sorry").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Amazon (emulated)</title></head>
<body><h1>We're sorry!</h1><p>Error Summary</p><p>400 Bad Request</p><p>{{.}}</p></body></html>
`))
	askPage = template.Must(template.New("ask").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Amazon (emulated)</title>
<style>body{font:16px/1.5 sans-serif;max-width:32em;margin:4em auto;padding:0 1em}button{font:inherit;padding:.4em 1.2em;margin-right:1em}</style></head>
<body><h1>Sign in with Amazon</h1>
<p>This is credsync's emulator: nobody signs in, and what it issues opens nothing.
A security profile asks for:</p>
<ul>{{range .}}<li><code>{{.}}</code></li>{{end}}</ul>
<form method="post"><button name="decision" value="allow">Allow</button><button name="decision" value="deny">Cancel</button></form>
</body></html>
`))
)

func sorry(why string) answer { return htmlAnswer(http.StatusBadRequest, render(sorryPage, why)) }

func consentPage(scopes []string) answer { return htmlAnswer(http.StatusOK, render(askPage, scopes)) }

func render(t *template.Template, data any) string {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		panic(err) // only our own pages come here, and they all execute
	}
	return b.String()
}

func htmlAnswer(status int, page string) answer {
	return noStore(answer{status: status, body: []byte(page), header: http.Header{
		"Content-Type":            {"text/html; charset=utf-8"},
		"Content-Security-Policy": {"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"},
		"X-Frame-Options":         {"DENY"},
		"Referrer-Policy":         {"no-referrer"},
	}})
}

// ReturnURLs returns the Allowed Return URLs of the security profile.
func (a *Amazon) ReturnURLs() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.returns)
}

// SetReturnURLs replaces the Allowed Return URLs, which are compared to the
// letter; none = [DefaultReturnURL] alone.
func (a *Amazon) SetReturnURLs(urls ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.returns = returnURLs(urls)
}

func returnURLs(urls []string) []string {
	if len(urls) == 0 {
		return []string{DefaultReturnURL}
	}
	return slices.Clone(urls)
}

package smapi

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/doctor"
)

// spellings are the forms in which a secret could leave.
func spellings(s string) []string {
	quoted, _ := json.Marshal(s)
	return []string{
		s, url.QueryEscape(s), url.PathEscape(s), strings.Trim(string(quoted), `"`), hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))),
		base64.StdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)), s[len(s)/2:],
	}
}

// echoes are replies of a peer that gives back what it heard and knows.
func echoes(heard string) map[string]reply {
	quoted, _ := json.Marshal(heard)
	uuid := "0f1e2d3c-4b5a-6978-8796-" + heard[:min(12, len(heard))]
	return map[string]reply{
		"HTML 500":         {status: 500, body: "<html>" + heard + "</html>", header: map[string]string{"Content-Type": "text/html"}},
		"HTML 200":         ok("<html>" + heard + "</html>"),
		"text 400":         {status: 400, body: heard, header: map[string]string{"Content-Type": "text/plain"}},
		"form 400":         {status: 400, body: "error=" + url.QueryEscape(heard) + "&error_description=" + url.QueryEscape(heard), header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
		"code":             {status: 400, body: `{"code":` + string(quoted) + `,"message":` + string(quoted) + `}`},
		"wrapped code":     {status: 403, body: `{"error":{"code":` + string(quoted) + `,"message":` + string(quoted) + `}}`},
		"OAuth error":      {status: 400, body: `{"error":` + string(quoted) + `,"error_description":` + string(quoted) + `,"error_uri":` + string(quoted) + `}`},
		"description":      {status: 400, body: `{"error":"invalid_grant","error_description":` + string(quoted) + `}`},
		"description 401":  {status: 401, body: `{"error":"invalid_client","error_description":` + string(quoted) + `}`},
		"headers":          {status: 404, header: map[string]string{"X-Amzn-Requestid": heard, "WWW-Authenticate": heard, "Retry-After": heard, "Date": heard}},
		"UUID-like header": {status: 404, header: map[string]string{"X-Amzn-Requestid": uuid}},
		"redirect":         {status: 302, header: map[string]string{"Location": "https://elsewhere.example/?" + url.QueryEscape(heard)}},
		"bad redirect":     {status: 302, header: map[string]string{"Location": heard + "\x7f://"}},
		"key in 200":       ok(`{` + string(quoted) + `:` + string(quoted) + `}`),
		"wrong types":      ok(`{"skillMessagingCredentials":` + string(quoted) + `,"access_token":[` + string(quoted) + `],"skills":` + string(quoted) + `,"vendors":` + string(quoted) + `}`),
		"as an ID":         ok(`{"skillMessagingCredentials":{"clientId":` + string(quoted) + `,"clientSecret":` + string(quoted) + `},"skills":[{"skillId":` + string(quoted) + `}],"vendors":[{"id":" ` + strings.Trim(string(quoted), `"`) + `"}]}`),
		"cut JSON":         ok(`{"skillMessagingCredentials":{"clientId":"x","clientSecret":` + string(quoted)),
		"cut body":         {status: 200, body: heard, cut: true},
		"transport":        {err: errors.New("proxy said " + heard)},
		"URL error":        {err: &url.Error{Op: "Get", URL: "https://x.example/?t=" + heard, Err: errors.New(heard)}},
		"1 MiB":            {status: 500, body: strings.Repeat(heard+" ", 1<<20/(len(heard)+1))},
		"odd bytes":        {status: 418, body: heard + "\xff\xfe\x00"},
		"503":              {status: 503, body: heard},
	}
}

// Whatever a peer gives back, and whichever peer, none of it shows.
func TestNoErrorShowsASecret(t *testing.T) {
	const access = "Atza|IwEBTheAccessTokenThatNobodyMaySee"
	canaries := map[string]string{"access token": access, "refresh token": ourToken, "our client secret": ourKey, "skill secret": pairKey}
	good := credential.Credential{Skill: skill, ClientID: pairID, ClientSecret: credential.NewSecret(pairKey)}
	for canary, value := range canaries {
		for form, p := range echoes(value) {
			for _, peer := range []string{"api", "lwa"} {
				t.Run(canary+"/"+form+"/"+peer, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						a := &amazon{
							api: func(int, *http.Request) reply { return p },
							lwa: func(int, url.Values) reply { return ok(`{"access_token":"` + access + `"}`) },
						}
						if peer == "lwa" {
							a.api, a.lwa = nil, func(int, url.Values) reply { return p }
						}
						s := a.open(t)
						_, fetch := s.Fetch(t.Context(), skill)
						_, list := s.Skills(t.Context(), "M0000000000000")
						text := shown(fetch) + shown(list) + shown(s.Check(t.Context()))
						for _, f := range doctor.Examine(t.Context(), s.Examination(), time.Minute) {
							text += shown(f.Err) + strings.Join(f.Advice, "\n")
						}
						if peer == "lwa" {
							text += shown(s.Verify(t.Context(), good))
						}
						if fetch == nil {
							t.Fatal("no error to look at")
						}
						for which, v := range canaries {
							for _, spelling := range spellings(v) {
								if strings.Contains(text, spelling) {
									t.Fatalf("the %s shows: %v", which, fetch)
								}
							}
						}
					})
				})
			}
		}
	}
}

// A Source printed whole shows nothing either.
func TestNoSourceShowsASecret(t *testing.T) {
	s := (&amazon{}).open(t)
	fetchOK(t, s)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		text := fmt.Sprintf(verb, s) + fmt.Sprintf(verb, s.tokens) + fmt.Sprintf(verb, s.tokens.current.Load())
		for _, secret := range []string{"Atza|token-1", ourToken, ourKey} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows a secret", verb)
			}
		}
	}
}

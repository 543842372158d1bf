package emulator_test

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/credsync/credsync/internal/emulator"
)

const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B

// consentQuery is what a client sends a browser to /ap/oa with.
func (c client) consentQuery() url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"response_type": {"code"}, "client_id": {c.ClientID()}, "redirect_uri": {emulator.DefaultReturnURL},
		"scope": {"alexa::ask:skills:readwrite"}, "state": {"a state"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
}

// decide posts what a person decides, and returns what the browser is sent back with.
func (c client) decide(q url.Values, decision string) url.Values {
	c.t.Helper()
	r := c.do("POST", "/ap/oa?"+q.Encode(), "decision="+decision, "Content-Type", "application/x-www-form-urlencoded")
	if r.StatusCode != http.StatusFound {
		c.t.Fatalf("status %d: %s", r.StatusCode, r.Body)
	}
	to, err := url.Parse(r.Header.Get("Location"))
	if err != nil || to.Scheme+"://"+to.Host+to.Path != q.Get("redirect_uri") {
		c.t.Fatalf("sent to %s", r.Header.Get("Location"))
	}
	if to.Query().Get("state") != q.Get("state") {
		c.t.Errorf("state %q", to.Query().Get("state"))
	}
	return to.Query()
}

// codeForm is the exchange of code.
func (c client) codeForm(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {emulator.DefaultReturnURL},
		"client_id": {c.ClientID()}, "client_secret": {c.ClientSecret().Reveal()}, "code_verifier": {verifier},
	}
}

func TestConsentBringsARefreshToken(t *testing.T) {
	c := newClient(t, emulator.Options{})
	page := c.do("GET", "/ap/oa?"+c.consentQuery().Encode(), "")
	if page.StatusCode != 200 || !strings.Contains(page.Body, `value="allow"`) || !strings.Contains(page.Body, `value="deny"`) || !strings.Contains(page.Body, "alexa::ask:skills:readwrite") {
		t.Fatalf("the page: %d %s", page.StatusCode, page.Body)
	}
	before := c.RefreshToken()
	code := c.decide(c.consentQuery(), "allow").Get("code")
	var got granted
	read(t, c.form(c.codeForm(code)), 200, &got)
	if got.Type != "bearer" || got.ExpiresIn != 3600 || got.Refresh == before.Reveal() || got.Refresh != c.RefreshToken().Reveal() {
		t.Errorf("type %q, expires_in %d", got.Type, got.ExpiresIn)
	}
	if status := c.get("/v1/vendors", got.Access).StatusCode; status != 200 {
		t.Errorf("SMAPI answers %d to the token", status)
	}
	if status := c.form(c.refreshForm()).StatusCode; status != 200 {
		t.Errorf("a refresh is answered %d", status)
	}
}

func TestACodeIsGoodOnceForWhomItWasIssuedAndForFiveMinutes(t *testing.T) {
	pair := mustPair(t, newClient(t, emulator.Options{Skills: 1}).Amazon, newClient(t, emulator.Options{Skills: 1}).Skills()[0])
	for name, tt := range map[string]struct {
		change url.Values
		wait   time.Duration
		status int
		err    string
	}{
		"within its life":       {nil, 5*time.Minute - time.Second, 200, ""},
		"too late":              {nil, 5 * time.Minute, 400, "invalid_grant"},
		"another return URL":    {url.Values{"redirect_uri": {"http://127.0.0.1:9091/cb"}}, 0, 400, "invalid_grant"},
		"another verifier":      {url.Values{"code_verifier": {strings.ToUpper(verifier)}}, 0, 400, "invalid_grant"},
		"no verifier":           {url.Values{"code_verifier": nil}, 0, 400, "invalid_grant"},
		"another client":        {url.Values{"client_id": {pair.ClientID}, "client_secret": {pair.ClientSecret.Reveal()}}, 0, 400, "unauthorized_client"},
		"a wrong secret":        {url.Values{"client_secret": {"x"}}, 0, 401, "invalid_client"},
		"no return URL":         {url.Values{"redirect_uri": nil}, 0, 400, "invalid_request"},
		"a code out of the air": {url.Values{"code": {"ANXXXX"}}, 0, 400, "invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newClient(t, emulator.Options{Skills: 1})
				form := c.codeForm(c.decide(c.consentQuery(), "allow").Get("code"))
				maps.Copy(form, tt.change)
				time.Sleep(tt.wait)
				var got refusal
				read(t, c.form(form), tt.status, &got)
				if got.Error != tt.err {
					t.Errorf("error %q, want %q", got.Error, tt.err)
				}
				if tt.status == 200 && c.form(form).StatusCode != 400 {
					t.Error("the code was good twice")
				}
			})
		})
	}
}

func TestWhatIsWrongWithARequestForConsent(t *testing.T) {
	c := newClient(t, emulator.Options{})
	for name, change := range map[string]url.Values{
		"unknown client":        {"client_id": {"x"}},
		"no client":             {"client_id": nil},
		"return URL not listed": {"redirect_uri": {"http://127.0.0.1:9091/cb"}},
		"return URL by a slash": {"redirect_uri": {emulator.DefaultReturnURL + "/"}},
		"no return URL":         {"redirect_uri": nil},
	} {
		t.Run(name+": nobody is sent anywhere", func(t *testing.T) {
			q := c.consentQuery()
			maps.Copy(q, change)
			r := c.do("GET", "/ap/oa?"+q.Encode(), "")
			if r.StatusCode != 400 || r.Header.Get("Location") != "" {
				t.Errorf("got %d, Location %q", r.StatusCode, r.Header.Get("Location"))
			}
			if listed := strings.Contains(r.Body, "has not been whitelisted"); listed != strings.Contains(name, "return URL") {
				t.Errorf("the page says: %s", r.Body)
			}
		})
	}
	for name, tt := range map[string]struct {
		change url.Values
		want   string
	}{
		"response type":    {url.Values{"response_type": {"token"}}, "unsupported_response_type"},
		"no scope":         {url.Values{"scope": nil}, "invalid_scope"},
		"a scope unknown":  {url.Values{"scope": {"alexa::ask:skills:read alexa::all"}}, "invalid_scope"},
		"challenge method": {url.Values{"code_challenge_method": {"S512"}}, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			q := c.consentQuery()
			maps.Copy(q, tt.change)
			if got := c.decide(q, "allow"); got.Get("error") != tt.want || got.Has("code") {
				t.Errorf("sent back with %v", got)
			}
		})
	}
	if got := c.decide(c.consentQuery(), "deny"); got.Get("error") != "access_denied" || got.Has("code") {
		t.Errorf("denied, and sent back with %v", got)
	}
	r := c.do("POST", "/ap/oa?"+c.consentQuery().Encode(), "decision=allow", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site")
	if r.StatusCode != 400 {
		t.Errorf("another site's decision is answered %d", r.StatusCode)
	}
}

func TestReturnURLsCanBeChanged(t *testing.T) {
	c := newClient(t, emulator.Options{})
	q := c.consentQuery()
	q.Set("redirect_uri", "http://127.0.0.1:8765/cb")
	if r := c.do("GET", "/ap/oa?"+q.Encode(), ""); r.StatusCode != 400 {
		t.Errorf("not on the list: %d", r.StatusCode)
	}
	c.SetReturnURLs("http://127.0.0.1:8765/cb")
	if r := c.do("GET", "/ap/oa?"+q.Encode(), ""); r.StatusCode != 200 {
		t.Errorf("on the list: %d", r.StatusCode)
	}
}

func TestATokenSeesSkillsOnlyWithAScopeForThem(t *testing.T) {
	c := newClient(t, emulator.Options{})
	for scope, want := range map[string]int{
		"alexa::ask:skills:read": 200, "alexa::ask:models:read alexa::ask:skills:readwrite": 200, "alexa::ask:models:readwrite": 403, "profile": 403,
	} {
		q := c.consentQuery()
		q.Set("scope", scope)
		var got granted
		read(t, c.form(c.codeForm(c.decide(q, "allow").Get("code"))), 200, &got)
		if status := c.get("/v1/vendors", got.Access).StatusCode; status != want {
			t.Errorf("%s: SMAPI answers %d, want %d", scope, status, want)
		}
		if status := c.get("/v1/vendors", c.access()).StatusCode; status != want {
			t.Errorf("%s: after a refresh SMAPI answers %d, want %d", scope, status, want)
		}
	}
}

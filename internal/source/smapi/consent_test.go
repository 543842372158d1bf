package smapi

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

const (
	returnURL = "http://127.0.0.1:9090/cb"
	ourCode   = "ANcodeThatNobodyMaySee"
)

func (a *amazon) consent(t *testing.T) *Consent {
	t.Helper()
	return newConsent(config(t), returnURL, []string{DefaultScope}, a)
}

// sentBack is the query that a browser is sent back with.
func (c *Consent) sentBack(kv ...string) url.Values {
	q := url.Values{"state": {c.state}}
	for i := 0; i < len(kv); i += 2 {
		q.Set(kv[i], kv[i+1])
	}
	return q
}

func TestWhatABrowserIsSentWith(t *testing.T) {
	c := (&amazon{}).consent(t)
	u, err := url.Parse(c.URL())
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if got := u.Scheme + "://" + u.Host + u.Path; got != "https://www.amazon.com/ap/oa" {
		t.Errorf("sent to %s", got)
	}
	for key, want := range map[string]string{
		"response_type": "code", "client_id": ourID, "redirect_uri": returnURL, "scope": DefaultScope, "code_challenge_method": "S256",
	} {
		if got := q.Get(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if len(q.Get("state")) < 43 || len(q.Get("code_challenge")) != 43 || strings.Contains(c.URL(), c.verifier) || c.state == c.verifier {
		t.Errorf("state %q, challenge %q", q.Get("state"), q.Get("code_challenge"))
	}
	if other := (&amazon{}).consent(t); other.state == c.state || other.verifier == c.verifier {
		t.Error("two consents share what should be random")
	}
}

func TestACodeIsRedeemedForTheFirstTokens(t *testing.T) {
	a := &amazon{
		lwa: func(int, url.Values) reply { return ok(goodToken) },
		api: func(int, *http.Request) reply { return ok(`{"vendors":[]}`) },
	}
	c := a.consent(t)
	code, err := c.Code(c.sentBack("code", ourCode, "scope", DefaultScope))
	if err != nil {
		t.Fatal(err)
	}
	issued, err := c.Redeem(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	if issued.Refresh.Reveal() != ourToken {
		t.Error("another refresh token")
	}
	form := a.lwaCalls[0]
	for key, want := range map[string]string{
		"grant_type": "authorization_code", "code": ourCode, "redirect_uri": returnURL, "client_id": ourID, "client_secret": ourKey, "code_verifier": c.verifier,
	} {
		if form.Get(key) != want {
			t.Errorf("%s is not what it should be", key)
		}
	}
	if q := a.forms[0].URL.RawQuery; q != "" {
		t.Errorf("a query: %s", q)
	}
	if err := c.Source(issued).Check(t.Context()); err != nil {
		t.Error(err)
	}
	if api, lwa := a.calls(); api != 1 || lwa != 1 || a.bearers[0] != "Bearer Atza|IwEBIFirst" {
		t.Errorf("%d calls of the API, %d of LWA, as %q: the access token that came was to be used", api, lwa, a.bearers)
	}
}

func TestWhatIsNoAnswerToThisConsent(t *testing.T) {
	c := (&amazon{}).consent(t)
	for name, q := range map[string]url.Values{
		"no state": {"code": {ourCode}}, "another state": {"code": {ourCode}, "state": {"x"}}, "an error with another state": {"error": {"access_denied"}, "state": {"x"}}, "nothing": {},
	} {
		if _, err := c.Code(q); !errors.Is(err, ErrStray) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, q := range map[string]url.Values{
		"no code": c.sentBack(), "an empty one": c.sentBack("code", ""), "spaces": c.sentBack("code", "a b"), "too long": c.sentBack("code", strings.Repeat("x", maxCode+1)),
	} {
		if _, err := c.Code(q); !errors.Is(err, ErrNoCode) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhyAmazonGaveNoCode(t *testing.T) {
	c := (&amazon{}).consent(t)
	for code, want := range map[string]struct {
		class error
		text  string
	}{
		"access_denied":             {source.ErrDenied, "consent was not given"},
		"invalid_scope":             {source.ErrDenied, "without --scope"},
		"unauthorized_client":       {source.ErrDenied, "enable Login with Amazon"},
		"temporarily_unavailable":   {source.ErrUnavailable, "later"},
		"server_error":              {source.ErrUnavailable, "later"},
		ourCode:                     {source.ErrDenied, "not documented"},
		"unsupported_response_type": {source.ErrDenied, "authorize_url"},
	} {
		_, err := c.Code(c.sentBack("error", code, "error_description", ourCode, "code", ourCode))
		wantErr(t, err, want.class)
		if text := shown(err); !strings.Contains(text, want.text) || strings.Contains(text, ourCode) {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestWhatAPersonPastes(t *testing.T) {
	c := (&amazon{}).consent(t)
	whole := returnURL + "?" + c.sentBack("code", ourCode).Encode()
	for _, text := range []string{whole, "  " + whole + "\n", ourCode, ourCode + "\r"} {
		if code, err := c.Pasted(credential.NewSecret(text)); err != nil || code.Reveal() != ourCode {
			t.Errorf("%q: err = %v", text, err)
		}
	}
	for text, want := range map[string]error{
		returnURL + "?code=" + ourCode + "&state=x": ErrStray,
		returnURL: ErrStray, "": ErrNoCode, "a b": ErrNoCode,
		returnURL + "?" + c.sentBack("error", "access_denied").Encode(): source.ErrDenied,
	} {
		if _, err := c.Pasted(credential.NewSecret(text)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

func TestProbeFindsWhatAmazonRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		reply reply
		want  string
	}{
		"a return URL":   {reply{status: 400, body: "<p>The redirect URI you provided has not been whitelisted for your application."}, "not among the Allowed Return URLs"},
		"a client":       {reply{status: 400, body: "<p>Unknown"}, "does not know the client ID"},
		"the page":       {ok("<html>"), ""},
		"a sign-in":      {reply{status: 302, header: map[string]string{"Location": "https://x.example/"}}, ""},
		"a robot's page": {reply{status: 503, body: "not been whitelisted"}, ""},
		"no network":     {reply{err: errors.New("no route")}, ""},
	} {
		err := always(tt.reply).consent(t).Probe(t.Context())
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// Whatever Amazon answers to a code, nothing secret of it shows.
func TestNoConsentShowsASecret(t *testing.T) {
	for canary, value := range map[string]string{"code": ourCode, "our client secret": ourKey, "refresh token": ourToken} {
		for form, p := range echoes(value) {
			t.Run(canary+"/"+form, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := lwaAlways(p).consent(t)
					_, err := c.Redeem(t.Context(), credential.NewSecret(ourCode))
					if err == nil {
						t.Fatal("no error to look at")
					}
					for _, v := range []string{ourCode, ourKey, ourToken, c.verifier} {
						for _, spelling := range spellings(v) {
							if strings.Contains(shown(err), spelling) {
								t.Fatalf("it shows: %v", err)
							}
						}
					}
				})
			})
		}
	}
}

func TestWhatLoginWithAmazonSaysToACode(t *testing.T) {
	for name, tt := range map[string]struct {
		reply reply
		class error
		text  string
	}{
		"expired":            {reply{status: 400, body: `{"error":"invalid_grant"}`}, source.ErrDenied, "older than five minutes"},
		"wrong secret":       {reply{status: 401, body: `{"error":"invalid_client"}`}, source.ErrDenied, "copy both anew"},
		"another client's":   {reply{status: 400, body: `{"error":"unauthorized_client"}`}, source.ErrDenied, "another security profile"},
		"down":               {reply{status: 500, body: `{}`}, source.ErrUnavailable, "status 500"},
		"no refresh token":   {ok(`{"access_token":"Atza|x","token_type":"bearer"}`), source.ErrInvalid, "no refresh token"},
		"not a token at all": {ok(`{"access_token":"","refresh_token":"x"}`), source.ErrUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := lwaAlways(tt.reply).consent(t).Redeem(t.Context(), credential.NewSecret(ourCode))
				wantErr(t, err, tt.class)
				if !strings.Contains(err.Error(), tt.text) {
					t.Errorf("%v, want %q", err, tt.text)
				}
			})
		})
	}
}

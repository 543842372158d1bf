package emulator_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/credsync/credsync/internal/emulator"
)

type granted struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	Type      string `json:"token_type"`
	ExpiresIn int    `json:"expires_in"`
	Scope     string `json:"scope"`
}

type refusal struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func TestRefreshIsAnsweredInBothEncodingsOfAmazonsClients(t *testing.T) {
	c := newClient(t, emulator.Options{})
	flat := make(map[string]string)
	for k := range c.refreshForm() {
		flat[k] = c.refreshForm().Get(k)
	}
	asJSON, err := json.Marshal(flat)
	if err != nil {
		t.Fatal(err)
	}
	unescaped := "grant_type=refresh_token&client_secret=" + c.ClientSecret().Reveal() + "&client_id=" + c.ClientID() + "&refresh_token=" + c.RefreshToken().Reveal()
	for name, resp := range map[string]reply{
		"form":               c.form(c.refreshForm()),
		"SDK, capital O":     c.do("POST", "/auth/O2/token", unescaped, "Content-type", "application/x-www-form-urlencoded"),
		"ASK CLI, JSON":      c.do("POST", "/auth/o2/token", string(asJSON), "Content-Type", "application/json"),
		"client in a header": c.do("POST", "/auth/o2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {c.RefreshToken().Reveal()}}.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Authorization", basic(c.ClientID(), c.ClientSecret().Reveal())),
	} {
		t.Run(name, func(t *testing.T) {
			var got granted
			read(t, resp, http.StatusOK, &got)
			if got.Type != "bearer" || got.ExpiresIn != 3600 || got.Refresh != c.RefreshToken().Reveal() || !strings.HasPrefix(got.Access, "Atza|") {
				t.Errorf("got type %q, expires_in %d", got.Type, got.ExpiresIn)
			}
			if resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("X-Amzn-Requestid") == "" {
				t.Errorf("headers %v", resp.Header)
			}
			if status := c.get("/v1/vendors", got.Access).StatusCode; status != http.StatusOK {
				t.Errorf("SMAPI answers %d to the token", status)
			}
		})
	}
}

func basic(id, secret string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(id, secret)
	return r.Header.Get("Authorization")
}

func TestTokenErrors(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 1})
	pair := mustPair(t, c.Amazon, c.Skills()[0])
	tests := []struct {
		name   string
		base   url.Values
		change url.Values // nil value = without the key
		status int
		want   refusal
	}{
		{"no grant type", c.refreshForm(), url.Values{"grant_type": nil}, 400, refusal{"invalid_request", "The request is missing a required parameter : grant_type"}},
		{"unknown grant type", c.refreshForm(), url.Values{"grant_type": {"password"}}, 400, refusal{"unsupported_grant_type", "The authorization grant type is not supported by the authorization server"}},
		{"no refresh token", c.refreshForm(), url.Values{"refresh_token": nil}, 400, refusal{"invalid_request", "The request is missing a required parameter : refresh_token"}},
		{"no client ID", c.refreshForm(), url.Values{"client_id": nil}, 400, refusal{"invalid_request", "The request is missing a required parameter : client_id"}},
		{"no client secret", c.refreshForm(), url.Values{"client_secret": nil}, 400, refusal{"invalid_request", "The request is missing a required parameter : client_secret"}},
		{"no scope", verifyForm(pair), url.Values{"scope": nil}, 400, refusal{"invalid_request", "The request is missing a required parameter : scope"}},
		{"wrong secret", c.refreshForm(), url.Values{"client_secret": {"x"}}, 401, refusal{"invalid_client", "Client authentication failed"}},
		{"unknown client", c.refreshForm(), url.Values{"client_id": {"x"}}, 401, refusal{"invalid_client", "Client authentication failed"}},
		{"unknown refresh token", c.refreshForm(), url.Values{"refresh_token": {"Atzr|x"}}, 400, refusal{"invalid_grant", "The request has an invalid grant parameter : refresh_token. User may have revoked or didn't grant the permission."}},
		{"another client's refresh token", c.refreshForm(), url.Values{"client_id": {pair.ClientID}, "client_secret": {pair.ClientSecret.Reveal()}}, 400, refusal{"unauthorized_client", "Not authorized for requested operation"}},
		{"scope not granted", verifyForm(pair), url.Values{"scope": {"alexa::proactive_events"}}, 400, refusal{"invalid_scope", "The request has an invalid parameter : scope"}},
		{"a pair that is wrong", verifyForm(pair), url.Values{"client_secret": {"x"}}, 401, refusal{"invalid_client", "Client authentication failed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			maps.Copy(tt.base, tt.change)
			var got refusal
			read(t, c.form(tt.base), tt.status, &got)
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}

	t.Run("a body that is neither form nor JSON", func(t *testing.T) {
		for contentType, body := range map[string]string{"": "x=y", "text/plain": "x=y", "application/json": `["x"]`} {
			var got refusal
			read(t, c.do("POST", "/auth/o2/token", body, "Content-Type", contentType), 400, &got)
			if want := (refusal{"invalid_request", "Malformed request"}); got != want {
				t.Errorf("%q: got %+v, want %+v", contentType, got, want)
			}
		}
	})
	t.Run("credentials in the query are an error of LWA's own", func(t *testing.T) {
		resp := c.do("POST", "/auth/o2/token?"+c.refreshForm().Encode(), "")
		if body := resp.Body; resp.StatusCode != 500 || body != "{}" || resp.Header.Get("X-Amzn-Errortype") == "" {
			t.Errorf("got %d %s %v", resp.StatusCode, body, resp.Header)
		}
	})
	t.Run("only POST", func(t *testing.T) {
		resp := c.do("GET", "/auth/o2/token", "")
		if resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" {
			t.Errorf("got %d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
		}
	})
}

func TestAGoodPairIsGrantedItsScope(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 1})
	id := c.Skills()[0]
	var got granted
	read(t, c.form(verifyForm(mustPair(t, c.Amazon, id))), http.StatusOK, &got)
	if !strings.HasPrefix(got.Access, "Atc|") || got.Scope != "alexa:skill_messaging" || got.Refresh != "" || got.Type != "bearer" {
		t.Errorf("scope %q, type %q", got.Scope, got.Type)
	}
	if status := c.get(credentialsPath(id), got.Access).StatusCode; status != http.StatusUnauthorized {
		t.Errorf("SMAPI answers %d to a skill's own token, want 401", status)
	}
}

func TestWhatARefreshSaysAboutTheRefreshToken(t *testing.T) {
	tests := []struct {
		refresh            emulator.Refresh
		answered, same     bool
		oldWorksAfterwards bool
	}{
		{"", true, true, true},
		{emulator.RefreshSame, true, true, true},
		{emulator.RefreshNew, true, false, true},
		{emulator.RefreshReplace, true, false, false},
		{emulator.RefreshAbsent, false, false, true},
	}
	for _, tt := range tests {
		t.Run(string("refresh "+tt.refresh), func(t *testing.T) {
			c := newClient(t, emulator.Options{Refresh: tt.refresh})
			old := c.refreshForm()
			var got granted
			read(t, c.form(old), http.StatusOK, &got)
			if answered, same := got.Refresh != "", got.Refresh == old.Get("refresh_token"); answered != tt.answered || same != tt.same {
				t.Errorf("answered %v, same %v", answered, same)
			}
			if got.Refresh != "" && got.Refresh != c.RefreshToken().Reveal() {
				t.Error("RefreshToken is not the one issued last")
			}
			if works := c.form(old).StatusCode == http.StatusOK; works != tt.oldWorksAfterwards {
				t.Errorf("the old token works: %v", works)
			}
			if status := c.form(c.refreshForm()).StatusCode; status != http.StatusOK {
				t.Errorf("the latest token is answered %d", status)
			}
		})
	}
}

func TestAccessTokensLiveTheirHourAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, emulator.Options{})
		first := c.access()
		time.Sleep(59 * time.Minute)
		second := c.access()
		status := func(access string) int { return c.get("/v1/vendors", access).StatusCode }
		if status(first) != 200 || status(second) != 200 {
			t.Error("a refresh ended the life of an earlier token")
		}
		time.Sleep(time.Minute)
		if got := status(first); got != 401 {
			t.Errorf("after its hour a token is answered %d", got)
		}
		if got := status(second); got != 200 {
			t.Errorf("within its hour a token is answered %d", got)
		}
		c.ExpireTokens()
		if got := status(second); got != 401 {
			t.Errorf("an expired token is answered %d", got)
		}
		c.SetTokens(5*time.Second, "")
		var short granted
		read(t, c.form(c.refreshForm()), 200, &short)
		time.Sleep(5 * time.Second)
		if got := status(short.Access); short.ExpiresIn != 5 || got != 401 {
			t.Errorf("expires_in %d, answered %d after it", short.ExpiresIn, got)
		}
	})
}

func TestRevocationEndsRefreshTokensAndANewConsentHelps(t *testing.T) {
	c := newClient(t, emulator.Options{})
	access, old := c.access(), c.refreshForm()
	renewed := c.RevokeRefreshTokens()
	var got refusal
	read(t, c.form(old), 400, &got)
	if got.Error != "invalid_grant" {
		t.Errorf("error %q", got.Error)
	}
	if status := c.get("/v1/vendors", access).StatusCode; status != 200 {
		t.Errorf("the access token is answered %d, want it to live on", status)
	}
	if !renewed.Equal(c.RefreshToken()) || c.form(c.refreshForm()).StatusCode != 200 {
		t.Error("the new refresh token does not work")
	}
}

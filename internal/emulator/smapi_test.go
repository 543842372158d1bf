package emulator_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/emulator"
)

func TestCredentialsAreThePairOfTheSkill(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 30})
	access := c.access()
	for _, id := range c.Skills() {
		if want, got := mustPair(t, c.Amazon, id), c.pair(id, access); !got.Equal(want) {
			t.Errorf("%s: another pair", id)
		}
	}
	resp := c.get(credentialsPath(c.Skills()[0]), access)
	if got := resp.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	if resp.Header.Get("X-Amzn-Requestid") == "" {
		t.Error("no X-Amzn-Requestid")
	}
}

func TestSMAPIWantsABearerToken(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 1})
	access := c.access()
	for name, header := range map[string]string{"none": "", "unknown": "Bearer Atza|x", "no scheme": access, "another case": "bearer " + access} {
		for _, path := range []string{credentialsPath(c.Skills()[0]), "/v1/vendors", "/v1/skills?vendorId=" + c.Vendor(), "/v1/skills/x/status"} {
			resp := c.do("GET", path, "", "Authorization", header)
			if got, want := resp.Body, `{"message":"Token is invalid/expired."}`; resp.StatusCode != 401 || got != want || resp.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s, %s: %d %s", name, path, resp.StatusCode, got)
			}
		}
	}
}

func TestSkillsThatAreNotThereAndPairsThatAreNotIssued(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 1})
	id, access := c.Skills()[0], c.access()
	c.SetIssued(false, id)
	if _, ok := c.Pair(id); ok {
		t.Error("there is a pair")
	}
	tests := []struct {
		path   string
		status int
		body   string
	}{
		{credentialsPath(id), 404, `{"code":"RESOURCE_NOT_FOUND","message":"Skill messaging credentials not found for skill: ` + string(id) + `."}`},
		{credentialsPath("amzn1.ask.skill.x"), 404, `{"code":"RESOURCE_NOT_FOUND","message":"Skill not found with id: amzn1.ask.skill.x."}`},
		{"/v1/skills/a%2Fb%20c%25d%3Fe/credentials", 404, `{"code":"RESOURCE_NOT_FOUND","message":"Skill not found with id: a/b c%d?e."}`},
		{credentialsPath(credential.SkillID(strings.Repeat("x", 256))), 400, `{"message":"Request is not valid.","violations":[{"code":"INVALID_STRING_LENGTH","message":"The skill ID is longer than 255 characters."}]}`},
		{"/v1/skills/amzn1.ask.skill.x/status", 404, `{"code":"RESOURCE_NOT_FOUND","message":"Skill not found with id: amzn1.ask.skill.x."}`},
		{"/v1/skills/" + string(id) + "/status?resource=manifest", 200, `{"manifest":{"lastUpdateRequest":{"status":"SUCCEEDED","version":"1"}}}`},
		{"/v1/skills/" + string(id) + "/other", 404, `{"code":"RESOURCE_NOT_FOUND","message":"There is nothing at this path. See /emulator/ for what there is."}`},
		{"/v1/vendors", 200, `{"vendors":[{"id":"` + c.Vendor() + `","name":"Emulated Skills","roles":["ROLE_ADMINISTRATOR"]}]}`},
	}
	for _, tt := range tests {
		resp := c.get(tt.path, access)
		if got := resp.Body; resp.StatusCode != tt.status || got != tt.body {
			t.Errorf("%s: got %d %s\nwant %d %s", tt.path, resp.StatusCode, got, tt.status, tt.body)
		}
	}
	c.SetIssued(true, id)
	if got := c.pair(id, access); !got.Equal(mustPair(t, c.Amazon, id)) {
		t.Error("another pair")
	}
	c.SetErrors(emulator.BodyWrapped)
	if got, want := c.get("/v1/skills/x/status", access).Body, `{"error":{"code":"RESOURCE_NOT_FOUND","message":"Skill not found with id: x."}}`; got != want {
		t.Errorf("wrapped: got %s, want %s", got, want)
	}
}

type page struct {
	Skills []struct {
		ID    string            `json:"skillId"`
		Stage string            `json:"stage"`
		Names map[string]string `json:"nameByLocale"`
	} `json:"skills"`
	Truncated bool   `json:"isTruncated"`
	Next      string `json:"nextToken"`
}

func (c client) page(query url.Values, access string) page {
	c.t.Helper()
	var p page
	resp := c.get("/v1/skills?"+query.Encode(), access)
	if got := resp.Header.Get("Content-Type"); got != "application/json+hal" {
		c.t.Errorf("Content-Type %q", got)
	}
	read(c.t, resp, 200, &p)
	return p
}

func TestTheListHoldsEachSkillOncePerStage(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 120})
	access, names := c.access(), make(map[string]bool)
	for _, size := range []int{0, 1, 7, 50} {
		t.Run(fmt.Sprintf("pages of %d", size), func(t *testing.T) {
			q := url.Values{"vendorId": {c.Vendor()}}
			limit := 50
			if size > 0 {
				q.Set("maxResults", fmt.Sprint(size))
				limit = size
			}
			var ids []credential.SkillID
			rows := make(map[string]bool)
			for {
				p := c.page(q, access)
				if len(p.Skills) > limit || p.Truncated != (p.Next != "") || p.Truncated && len(p.Skills) < limit {
					t.Fatalf("a page of %d, truncated %v", len(p.Skills), p.Truncated)
				}
				for _, s := range p.Skills {
					if n := len(ids); n == 0 || ids[n-1] != credential.SkillID(s.ID) {
						ids = append(ids, credential.SkillID(s.ID))
					}
					if rows[s.ID+s.Stage] {
						t.Errorf("%s is listed twice in stage %s", s.ID, s.Stage)
					}
					rows[s.ID+s.Stage] = true
					names[s.Names["en-US"]] = true
				}
				if !p.Truncated {
					break
				}
				q.Set("nextToken", p.Next)
			}
			if diff := cmp.Diff(c.Skills(), ids); diff != "" {
				t.Errorf("skills (-want +got):\n%s", diff)
			}
			if want := 120 + 40 + 14; len(rows) != want {
				t.Errorf("%d rows, want %d", len(rows), want)
			}
		})
	}
	if len(names) != 120 {
		t.Errorf("%d names for 120 skills", len(names))
	}
}

func TestAPageGoesOnWhereTheLastEndedWhateverWasRemoved(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 6})
	access, ids := c.access(), c.Skills()
	q := url.Values{"vendorId": {c.Vendor()}, "maxResults": {"2"}}
	p := c.page(q, access)
	c.Remove(ids[0], ids[1])
	q.Set("nextToken", p.Next)
	if got := c.page(q, access).Skills[0].ID; got != string(ids[2]) {
		t.Errorf("the second page begins with %s, want %s", got, ids[2])
	}
}

func TestListErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, emulator.Options{Skills: 9})
		next := c.page(url.Values{"vendorId": {c.Vendor()}, "maxResults": {"1"}}, c.access()).Next
		time.Sleep(24 * time.Hour)
		access := c.access()
		tests := []struct {
			query  url.Values
			status int
			code   string
		}{
			{url.Values{}, 400, "MISSING_REQUIRED_PROPERTY"},
			{url.Values{"vendorId": {"M0000000000000"}}, 401, "Token is invalid/expired."},
			{url.Values{"vendorId": {c.Vendor()}, "maxResults": {"0"}}, 400, "INVALID_REQUEST_PARAMETER"},
			{url.Values{"vendorId": {c.Vendor()}, "maxResults": {"51"}}, 400, "INVALID_REQUEST_PARAMETER"},
			{url.Values{"vendorId": {c.Vendor()}, "maxResults": {"x"}}, 400, "INVALID_REQUEST_PARAMETER"},
			{url.Values{"vendorId": {c.Vendor()}, "nextToken": {"x"}}, 400, "INVALID_REQUEST_PARAMETER"},
			{url.Values{"vendorId": {c.Vendor()}, "nextToken": {next + "AAAA"}}, 400, "INVALID_REQUEST_PARAMETER"},
			{url.Values{"vendorId": {c.Vendor()}, "nextToken": {next}}, 400, "PARAMETER_EXPIRED"},
			{url.Values{"vendorId": {c.Vendor()}, "skillId": make([]string, 11)}, 400, "INVALID_REQUEST_PARAMETER"},
			{url.Values{"vendorId": {c.Vendor()}, "skillId": {"x"}, "maxResults": {"1"}}, 400, "INVALID_REQUEST_PARAMETER"},
		}
		for _, tt := range tests {
			resp := c.get("/v1/skills?"+tt.query.Encode(), access)
			if body := resp.Body; resp.StatusCode != tt.status || !strings.Contains(body, `"`+tt.code+`"`) {
				t.Errorf("%v: got %d %s, want %d %s", tt.query, resp.StatusCode, body, tt.status, tt.code)
			}
		}
		id := string(c.Skills()[2])
		for _, row := range c.page(url.Values{"vendorId": {c.Vendor()}, "skillId": {id}}, access).Skills {
			if row.ID != id {
				t.Errorf("asked for %s, got %s", id, row.ID)
			}
		}
	})
}

func TestTheLimitLetsThroughItsRateAndBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, emulator.Options{Rate: 10, Burst: 5, RetryAfter: true})
		access := c.access()
		passed := 0
		for range 1000 { // ten seconds, ten times as fast as allowed
			switch resp := c.get("/v1/vendors", access); {
			case resp.StatusCode == 200:
				passed++
			case resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "1":
				t.Fatalf("got %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
			}
			time.Sleep(10 * time.Millisecond)
		}
		if want := 5 + 10*10; passed < want-1 || passed > want+1 {
			t.Errorf("%d requests passed in 10 s, want %d", passed, want)
		}
		if c.form(c.refreshForm()).StatusCode != 200 {
			t.Error("the limit of SMAPI holds LWA up")
		}

		c.SetRate(0.1, 0, false)
		if got := c.get("/v1/vendors", access).StatusCode; got != 200 {
			t.Errorf("the first request is answered %d", got)
		}
		resp := c.get("/v1/vendors", access)
		if body := resp.Body; resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "" || !strings.Contains(body, "heavy traffic") {
			t.Errorf("got %d, Retry-After %q, %s", resp.StatusCode, resp.Header.Get("Retry-After"), body)
		}
		c.SetRate(0.1, 0, true)
		c.get("/v1/vendors", access)
		if got := c.get("/v1/vendors", access).Header.Get("Retry-After"); got != "10" {
			t.Errorf("Retry-After %q, want 10", got)
		}
		c.SetRate(0, 0, false)
		for range 100 {
			if got := c.get("/v1/vendors", access).StatusCode; got != 200 {
				t.Fatalf("without a limit: %d", got)
			}
		}
	})
}

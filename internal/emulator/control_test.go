package emulator_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/emulator"
)

// control asks the control face and decodes its answer.
func control[T any](c client, method, target, body string) T {
	c.t.Helper()
	var got T
	read(c.t, c.do(method, "http://127.0.0.1:8080/emulator/"+target, body), http.StatusOK, &got)
	return got
}

type ids struct {
	Skills []credential.SkillID `json:"skills"`
}

type shown struct {
	Skill        credential.SkillID `json:"skill"`
	Name         string             `json:"name"`
	Issued       bool               `json:"issued"`
	ClientID     string             `json:"client_id"`
	ClientSecret string             `json:"client_secret"`
}

func TestControlOfSkills(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 3})
	first := c.Skills()[0]

	list := control[struct{ Skills []shown }](c, "GET", "skills", "").Skills
	if len(list) != 3 || list[0].Skill != first || list[0].Name == "" || list[0].ClientSecret != "" {
		t.Errorf("list %+v", list)
	}
	pair := mustPair(t, c.Amazon, first)
	if got := control[shown](c, "GET", "skills/"+string(first), ""); got.ClientID != pair.ClientID || got.ClientSecret != pair.ClientSecret.Reveal() {
		t.Errorf("the pair shown is not the pair issued")
	}

	rotated := control[ids](c, "POST", "rotate?n=2", "")
	if diff := cmp.Diff(c.Skills()[:2], rotated.Skills); diff != "" || mustPair(t, c.Amazon, first).Equal(pair) {
		t.Errorf("rotated (-want +got):\n%s", diff)
	}
	if got := control[ids](c, "POST", "rotate?skill="+string(first)+"&skill="+string(c.Skills()[2]), ""); len(got.Skills) != 2 {
		t.Errorf("rotated %v", got)
	}

	if got := control[ids](c, "POST", "skills?n=2", ""); !cmp.Equal(got.Skills, c.Skills()[3:]) {
		t.Errorf("added %v", got)
	}
	if got := control[ids](c, "DELETE", "skills/"+string(first), ""); len(got.Skills) != 1 || len(c.Skills()) != 4 {
		t.Errorf("removed %v", got)
	}

	second := c.Skills()[0]
	set := control[shown](c, "PUT", "skills/"+string(second), `{"client_secret":"hunter2"}`)
	if got := mustPair(t, c.Amazon, second); set.ClientSecret != "hunter2" || got.ClientSecret.Reveal() != "hunter2" || got.ClientID != set.ClientID {
		t.Errorf("set %+v", set)
	}
	control[shown](c, "PUT", "skills/"+string(second), `{"issued":false}`)
	if _, ok := c.Pair(second); ok {
		t.Error("the pair is still issued")
	}
}

func TestControlOfTokensRateAndErrors(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 1})
	access, old := c.access(), c.RefreshToken()
	control[any](c, "POST", "tokens/expire", "")
	if got := c.get("/v1/vendors", access).StatusCode; got != 401 {
		t.Errorf("expired: %d", got)
	}
	account := control[map[string]string](c, "POST", "tokens/revoke", "")
	if account["refresh_token"] != c.RefreshToken().Reveal() || c.RefreshToken().Equal(old) {
		t.Error("no new refresh token")
	}
	want := map[string]string{"client_id": c.ClientID(), "client_secret": c.ClientSecret().Reveal(), "refresh_token": c.RefreshToken().Reveal(), "refresh_scope": "alexa::ask:skills:readwrite", "vendor": c.Vendor()}
	if diff := cmp.Diff(want, control[map[string]string](c, "GET", "client", "")); diff != "" {
		t.Errorf("client (-want +got):\n%s", diff)
	}

	control[any](c, "POST", "tokens?life=90s&refresh=absent", "")
	var got granted
	read(t, c.form(c.refreshForm()), 200, &got)
	if got.ExpiresIn != 90 || got.Refresh != "" {
		t.Errorf("expires_in %d", got.ExpiresIn)
	}

	control[any](c, "POST", "rate?rate=0.5&burst=2&retry_after=1", "")
	var statuses []int
	for range 3 {
		statuses = append(statuses, c.get("/v1/vendors", got.Access).StatusCode)
	}
	if diff := cmp.Diff([]int{200, 200, 429}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	control[any](c, "POST", "rate?rate=0", "")
	control[any](c, "POST", "errors?form=wrapped", "")
	if body := c.get("/v1/skills/x/status", got.Access).Body; !strings.HasPrefix(body, `{"error":{`) {
		t.Errorf("body %s", body)
	}
}

func TestControlOfFaultsAndRequests(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 1})
	access := c.access()
	control[any](c, "POST", "faults", `{"operation":"vendors","retry_after":"2","count":2,"delay":"1ms"}`)
	if diff := cmp.Diff([]emulator.Fault{{Operation: "vendors", RetryAfter: "2", Count: 2, Delay: time.Millisecond}}, c.Faults()); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	c.get("/v1/vendors", access)
	faults := control[map[string][]map[string]any](c, "GET", "faults", "")["faults"]
	if diff := cmp.Diff([]map[string]any{{"operation": "vendors", "retry_after": "2", "count": 1.0, "delay": "1ms"}}, faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	control[any](c, "DELETE", "faults", "")
	c.get("/v1/vendors", access)

	seen := control[emulator.Requests](c, "GET", "requests?last=2", "")
	want := map[emulator.Operation]map[int]int{"token": {200: 1}, "vendors": {200: 1, 429: 1}}
	if diff := cmp.Diff(want, seen.ByOperation); diff != "" || seen.Total != 3 || seen.MaxConcurrent != 1 || len(seen.Last) != 2 || seen.Last[1].Status != 200 {
		t.Errorf("%+v\nby operation (-want +got):\n%s", seen, diff)
	}
	control[any](c, "DELETE", "requests", "")
	if got := c.Requests(); got.Total != 0 || got.Count(emulator.OpVendors) != 0 || len(got.Last) != 0 {
		t.Errorf("after a reset: %+v", got)
	}
}

func TestControlSaysWhatIsWrong(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 1})
	for _, tt := range []struct {
		method, target, body string
		status               int
	}{
		{"GET", "skills/x", "", 404},
		{"DELETE", "skills/x", "", 404},
		{"PUT", "skills/x", "{}", 404},
		{"PUT", "skills/x", "", 400},
		{"POST", "rotate?skill=x", "", 404},
		{"POST", "rotate?n=-1", "", 400},
		{"POST", "skills?n=1e9", "", 400},
		{"POST", "tokens?life=x", "", 400},
		{"POST", "tokens?refresh=x", "", 400},
		{"POST", "rate", "", 400},
		{"POST", "rate?rate=1&burst=x", "", 400},
		{"POST", "rate?rate=1&retry_after=2", "", 400},
		{"POST", "errors?form=html", "", 400},
		{"POST", "faults", `{"status":500,"typo":1}`, 400},
		{"POST", "faults", `{"delay":"x"}`, 400},
		{"POST", "faults", `{}`, 400},
		{"POST", "faults", `{"status":500}{}`, 400},
		{"GET", "requests?last=x", "", 400},
	} {
		var got struct{ Error string }
		read(t, c.do(tt.method, "http://localhost/emulator/"+tt.target, tt.body), tt.status, &got)
		if got.Error == "" {
			t.Errorf("%s %s: no error text", tt.method, tt.target)
		}
	}
}

func TestControlIsForThisMachineAlone(t *testing.T) {
	c := newClient(t, emulator.Options{})
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8080": 200, "127.0.0.1": 200, "127.9.9.9:1": 200, "[::1]:8080": 200, "[::1]": 200,
		"evil.example": 403, "evil.example:8080": 403, "localhost.evil.example": 403, "10.0.0.1:8080": 403, "[2001:db8::1]:80": 403, "127.0.0.1.evil.example": 403,
	} {
		resp := c.do("GET", "http://"+host+"/emulator/client", "")
		if body := resp.Body; resp.StatusCode != want || want == 403 && strings.Contains(body, c.ClientSecret().Reveal()) {
			t.Errorf("Host %s: %d, want %d", host, resp.StatusCode, want)
		}
	}
	for _, header := range [][]string{{"Origin", "http://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
		if got := c.do("POST", "http://127.0.0.1/emulator/tokens/revoke", "", header...).StatusCode; got != 403 {
			t.Errorf("%v: %d, want 403", header, got)
		}
	}
}

// The help is where people look: what it names has to be there.
func TestHelpNamesWhatThereIs(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 1})
	resp := c.do("GET", "http://127.0.0.1:8080/emulator/", "")
	help := resp.Body
	if resp.StatusCode != 200 || !strings.Contains(help, "\n  BASE=http://127.0.0.1:8080\n") {
		t.Fatalf("got %d\n%s", resp.StatusCode, help)
	}
	curls := regexp.MustCompile(`(?m)^  curl (?:-X (\w+) )?"?\$BASE(/[^\s"]*)"?(?: -d '([^']*)')?`).FindAllStringSubmatch(help, -1)
	if len(curls) < 15 {
		t.Fatalf("%d commands found", len(curls))
	}
	for _, m := range curls {
		method := m[1]
		if method == "" {
			method = "GET"
		}
		target := strings.ReplaceAll(m[2], "ID", string(c.Add(1)[0]))
		if resp := c.do(method, "http://127.0.0.1:8080"+target, m[3]); resp.StatusCode != 200 {
			t.Errorf("%s: %d %s", m[0], resp.StatusCode, resp.Body)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^  '(\{.*\})'`).FindAllStringSubmatch(help, -1) {
		if !json.Valid([]byte(m[1])) {
			t.Errorf("not JSON: %s", m[1])
		}
		if resp := c.do("POST", "http://localhost/emulator/faults", m[1]); resp.StatusCode != 200 {
			t.Errorf("%s: %d %s", m[1], resp.StatusCode, resp.Body)
		}
	}
}

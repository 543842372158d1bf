package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/emulator"
)

// A client asks an account what a client of Amazon asks, without a network.
type client struct {
	t *testing.T
	*emulator.Amazon
}

func newClient(t *testing.T, o emulator.Options) client {
	t.Helper()
	return client{t, emulator.New(o)}
}

// A reply is an answer, read whole.
type reply struct {
	StatusCode int
	Header     http.Header
	Body       string
}

// do sends a request; header holds pairs of key and value.
func (c client) do(method, target, body string, header ...string) reply {
	c.t.Helper()
	r := httptest.NewRequestWithContext(c.t.Context(), method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.String()}
}

func (c client) form(form url.Values) reply {
	c.t.Helper()
	return c.do("POST", "/auth/o2/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
}

// refreshForm is the refresh that the account's own client asks for.
func (c client) refreshForm() url.Values {
	return url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {c.RefreshToken().Reveal()},
		"client_id":     {c.ClientID()},
		"client_secret": {c.ClientSecret().Reveal()},
	}
}

// verifyForm is what proves a pair.
func verifyForm(pair credential.Credential) url.Values {
	return url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {pair.ClientID},
		"client_secret": {pair.ClientSecret.Reveal()},
		"scope":         {"alexa:skill_messaging"},
	}
}

// access returns a new access token.
func (c client) access() string {
	c.t.Helper()
	var got struct {
		Token string `json:"access_token"`
	}
	read(c.t, c.form(c.refreshForm()), http.StatusOK, &got)
	return got.Token
}

func (c client) get(path, access string) reply {
	c.t.Helper()
	return c.do("GET", path, "", "Authorization", "Bearer "+access)
}

// pair returns the pair that SMAPI answers.
func (c client) pair(id credential.SkillID, access string) credential.Credential {
	c.t.Helper()
	var got struct {
		Pair struct {
			ClientID     string `json:"clientId"`
			ClientSecret string `json:"clientSecret"`
		} `json:"skillMessagingCredentials"`
	}
	read(c.t, c.get(credentialsPath(id), access), http.StatusOK, &got)
	return credential.Credential{Skill: id, ClientID: got.Pair.ClientID, ClientSecret: credential.NewSecret(got.Pair.ClientSecret)}
}

func credentialsPath(id credential.SkillID) string {
	return "/v1/skills/" + string(id) + "/credentials"
}

// read decodes the body of an answer that is to have this status.
func read(t *testing.T, got reply, status int, into any) {
	t.Helper()
	if got.StatusCode != status {
		t.Fatalf("status = %d, want %d; body %s", got.StatusCode, status, got.Body)
	}
	if err := json.Unmarshal([]byte(got.Body), into); err != nil {
		t.Fatalf("body %q: %v", got.Body, err)
	}
}

func mustPair(t *testing.T, a *emulator.Amazon, id credential.SkillID) credential.Credential {
	t.Helper()
	pair, ok := a.Pair(id)
	if !ok {
		t.Fatalf("no pair for %s", id)
	}
	return pair
}

func TestValuesHaveAmazonsShapes(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 3})
	pair := mustPair(t, c.Amazon, c.Skills()[0])
	for shape, value := range map[string]string{
		`^amzn1\.ask\.skill\.[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`: string(pair.Skill),
		`^amzn1\.application-oa2-client\.[0-9a-f]{32}$`:                                            pair.ClientID,
		`^amzn1\.oa2-cs\.v1\.[0-9a-f]{64}$`:                                                        pair.ClientSecret.Reveal(),
		`^Atza\|[\w-]{350,999}$`:                                                                   c.access(),
		`^Atzr\|[\w-]{350,999}$`:                                                                   c.RefreshToken().Reveal(),
		`^M[0-9A-Z]{13}$`:                                                                          c.Vendor(),
	} {
		if !regexp.MustCompile(shape).MatchString(value) {
			t.Errorf("%q does not match %s", value, shape)
		}
	}
	if _, err := credential.ParseSkillID(string(pair.Skill)); err != nil {
		t.Error(err)
	}
}

func TestOneSeedIssuesTheSameValuesAndAnotherSeedNone(t *testing.T) {
	a, b, other := emulator.New(emulator.Options{Skills: 9, Seed: 7}), emulator.New(emulator.Options{Skills: 4, Seed: 7}), emulator.New(emulator.Options{Skills: 9, Seed: 8})
	b.Add(5)
	if diff := cmp.Diff(a.Skills(), b.Skills()); diff != "" {
		t.Errorf("skills differ (-want +got):\n%s", diff)
	}
	id := a.Skills()[8]
	a.Rotate(id)
	b.Rotate(id)
	if !mustPair(t, a, id).Equal(mustPair(t, b, id)) || !a.RefreshToken().Equal(b.RefreshToken()) {
		t.Error("one seed issued two values")
	}
	if _, ok := other.Pair(id); ok || a.ClientID() == other.ClientID() || a.ClientSecret().Equal(other.ClientSecret()) {
		t.Error("two seeds issued one value")
	}
}

func TestSkillsComeAndGo(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 2})
	first, second := c.Skills()[0], c.Skills()[1]
	if got := c.Remove(first, "amzn1.ask.skill.none"); len(got) != 1 || got[0] != first {
		t.Errorf("Remove = %v", got)
	}
	added := c.Add(2)
	if diff := cmp.Diff([]credential.SkillID{second, added[0], added[1]}, c.Skills()); diff != "" {
		t.Errorf("skills (-want +got):\n%s", diff)
	}
	if added[0] == first || added[1] == first {
		t.Error("an ID came back")
	}
	if got := c.get(credentialsPath(first), c.access()).StatusCode; got != http.StatusNotFound {
		t.Errorf("a removed skill is answered with %d", got)
	}
}

func TestRotationGivesANewSecretUnderTheOldClientID(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 3})
	ids := c.Skills()
	old := mustPair(t, c.Amazon, ids[0])
	if got := c.RotateNext(2); !cmp.Equal(got, ids[:2]) {
		t.Errorf("RotateNext = %v, want the first two", got)
	}
	if got := c.RotateNext(2); !cmp.Equal(got, []credential.SkillID{ids[2], ids[0]}) {
		t.Errorf("RotateNext = %v, want the third, then the first again", got)
	}
	renewed := c.pair(ids[0], c.access())
	if renewed.ClientID != old.ClientID || renewed.ClientSecret.Equal(old.ClientSecret) {
		t.Error("want another secret under the same client ID")
	}
	if got := c.form(verifyForm(old)).StatusCode; got != http.StatusUnauthorized {
		t.Errorf("LWA answers %d to the old pair, want 401", got)
	}
	if got := c.form(verifyForm(renewed)).StatusCode; got != http.StatusOK {
		t.Errorf("LWA answers %d to the new pair, want 200", got)
	}
}

func TestSetPairTakesAnything(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 2})
	ids := c.Skills()
	twin := mustPair(t, c.Amazon, ids[1])
	if !c.SetPair(ids[0], twin.ClientID, twin.ClientSecret.Reveal()) {
		t.Fatal("there is no such skill")
	}
	got := c.pair(ids[0], c.access())
	if got.ClientID != twin.ClientID || !got.ClientSecret.Equal(twin.ClientSecret) {
		t.Error("the pair is not the one that was set")
	}
	if c.SetPair("amzn1.ask.skill.none", "a", "b") {
		t.Error("a pair was set where there is no skill")
	}
}

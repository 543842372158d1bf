package smapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

// account answers listings: pages by vendor, the token of page n being its
// number in signs that need escaping.
func account(vendors string, pages map[string][]string) *amazon {
	return &amazon{api: func(_ int, r *http.Request) reply {
		if strings.HasSuffix(r.URL.Path, "/v1/vendors") {
			return ok(vendors)
		}
		q := r.URL.Query()
		n := strings.Count(q.Get("nextToken"), "&=+ é")
		of := pages[q.Get("vendorId")]
		if q.Get("maxResults") != "50" || n >= len(of) {
			return reply{status: 400}
		}
		next := ""
		if n+1 < len(of) {
			token, _ := json.Marshal(strings.Repeat("&=+ é", n+1))
			next = `,"isTruncated":true,"nextToken":` + string(token)
		}
		return reply{status: 200, body: `{"_links":{},"skills":[` + of[n] + `]` + next + `}`, header: map[string]string{"Content-Type": "application/json+hal"}}
	}}
}

func TestSkills(t *testing.T) {
	a := account(`{"vendors":[{"id":"M2","name":"b","roles":["ROLE_DEVELOPER"]},{"id":"M1","name":"a"},{"id":"M2"}]}`, map[string][]string{
		"M1": {
			`{"skillId":"amzn1.ask.skill.c","stage":"live","nameByLocale":{"de-DE":"Wetter","en-US":"Weather"}},{"skillId":"amzn1.ask.skill.a","stage":"development","nameByLocale":{"fr-FR":"Météo","de-DE":"Wetter"}}`,
			``,
			`{"skillId":"amzn1.ask.skill.c","stage":"development","nameByLocale":{"en-US":"Weather 2"}},{"skillId":"amzn1.ask.skill.c","stage":"live"}`,
		},
		"M2": {
			`{"skillId":"amzn1.ask.skill.b","apis":["custom"],"publicationStatus":"HIDDEN"},{"skillId":"amzn1.ask.skill.a","stage":"certified","nameByLocale":{"en-US":" Rain\u001b[31m\n\u202e "}}`,
		},
	})
	s := a.open(t)
	want := []source.Skill{
		{ID: "amzn1.ask.skill.a", Name: "Rain[31m", Stages: []string{"certified", "development"}, Vendor: "M1"},
		{ID: "amzn1.ask.skill.b", Vendor: "M2"},
		{ID: "amzn1.ask.skill.c", Name: "Weather", Stages: []string{"development", "live"}, Vendor: "M1"},
	}
	got, err := s.Skills(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
	got, err = s.Skills(t.Context(), "M1")
	if err != nil {
		t.Fatal(err)
	}
	want = []source.Skill{{ID: "amzn1.ask.skill.a", Name: "Wetter", Stages: []string{"development"}, Vendor: "M1"}, want[2]}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
	if got, want := a.apiCalls[1], "/v1/skills?maxResults=50&vendorId=M1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSkillsOfNobody(t *testing.T) {
	got, err := account("", map[string][]string{"M1": {""}}).open(t).Skills(t.Context(), "M1")
	if err != nil || len(got) != 0 || got == nil {
		t.Errorf("got %v, %v, want an empty list", got, err)
	}
}

func TestVendorIsEscaped(t *testing.T) {
	a := account("", map[string][]string{"M&x=/ é": {""}})
	if _, err := a.open(t).Skills(t.Context(), "M&x=/ é"); err != nil {
		t.Error(err)
	}
}

// One bad page and there is no list.
func TestAPartialListIsNoList(t *testing.T) {
	const first = `{"skills":[{"skillId":"amzn1.ask.skill.a"}],"isTruncated":true,"nextToken":"t1"}`
	many := func(n int) string { return fmt.Sprintf(`{"skills":[],"nextToken":"t%d"}`, n) }
	tests := map[string]struct {
		page func(n int) reply // the pages after the first, from 2
		want error
	}{
		"unavailable":               {func(int) reply { return reply{status: 503} }, source.ErrUnavailable},
		"denied":                    {func(int) reply { return reply{status: 403} }, source.ErrDenied},
		"not found":                 {func(int) reply { return reply{status: 404} }, source.ErrInvalid},
		"bad request":               {func(int) reply { return reply{status: 400} }, source.ErrInvalid},
		"empty":                     {func(int) reply { return ok("") }, source.ErrInvalid},
		"HTML":                      {func(int) reply { return ok("<html>") }, source.ErrInvalid},
		"null":                      {func(int) reply { return ok("null") }, source.ErrInvalid},
		"array":                     {func(int) reply { return ok("[]") }, source.ErrInvalid},
		"no skills":                 {func(int) reply { return ok(`{"isTruncated":false}`) }, source.ErrInvalid},
		"null skills":               {func(int) reply { return ok(`{"skills":null}`) }, source.ErrInvalid},
		"skills that are no list":   {func(int) reply { return ok(`{"skills":{}}`) }, source.ErrInvalid},
		"a skill without ID":        {func(int) reply { return ok(`{"skills":[{}]}`) }, source.ErrInvalid},
		"an ID that is a path":      {func(int) reply { return ok(`{"skills":[{"skillId":"../x"}]}`) }, source.ErrInvalid},
		"an ID that is a number":    {func(int) reply { return ok(`{"skills":[{"skillId":7}]}`) }, source.ErrInvalid},
		"cut short without a token": {func(int) reply { return ok(`{"skills":[],"isTruncated":true}`) }, source.ErrInvalid},
		"the same token again":      {func(int) reply { return ok(first) }, source.ErrInvalid},
		"tokens in a circle":        {func(n int) reply { return ok(many(n % 7)) }, source.ErrInvalid},
		"tokens without end":        {func(n int) reply { return ok(many(n)) }, source.ErrInvalid},
		"trailing data":             {func(int) reply { return ok(`{"skills":[]}{}`) }, source.ErrInvalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &amazon{api: func(n int, _ *http.Request) reply {
					if n == 1 {
						return ok(first)
					}
					return tt.page(n)
				}}
				got, err := a.open(t).Skills(t.Context(), "M1")
				wantErr(t, err, tt.want)
				if got != nil {
					t.Errorf("got %v with the error", got)
				}
				if api, _ := a.calls(); api > maxPages+1 {
					t.Errorf("asked for %d pages", api)
				}
			})
		})
	}
}

func TestBadVendors(t *testing.T) {
	for _, body := range []string{"", "null", "[]", "{}", `{"vendors":null}`, `{"vendors":{}}`, `{"vendors":[{}]}`, `{"vendors":[{"id":""}]}`, `{"vendors":[{"id":"a b"}]}`, `{"vendors":[{"id":7}]}`, "<html>"} {
		s := always(ok(body)).open(t)
		_, err := s.Skills(t.Context(), "")
		wantErr(t, err, source.ErrInvalid)
		wantErr(t, s.Check(t.Context()), source.ErrInvalid)
	}
	_, err := always(reply{status: 404}).open(t).Skills(t.Context(), "")
	wantErr(t, err, source.ErrInvalid)
}

func FuzzDecodePage(f *testing.F) {
	for _, s := range []string{
		`{"skills":[{"skillId":"amzn1.ask.skill.a","stage":"live","nameByLocale":{"en-US":"A"}}],"isTruncated":true,"nextToken":"t"}`,
		`{"skills":[]}`, `{"skills":null}`, `{"skills":[{"skillId":"x","nameByLocale":null}]}`, `[]`, ``, `{"skills":[{"skillId":".."}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, next, err := decodePage(body)
		if err != nil && (rows != nil || next != "") {
			t.Error("rows came with the error")
		}
		found := make(catalog)
		for _, r := range rows {
			if _, err := credential.ParseSkillID(string(r.Skill)); err != nil {
				t.Error(err)
			}
			found.add("M1", r)
		}
		_ = found.skills()
		if _, err := url.ParseQuery(url.Values{"nextToken": {next}}.Encode()); err != nil {
			t.Error(err)
		}
	})
}

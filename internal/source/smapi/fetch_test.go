package smapi

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

func TestFetch(t *testing.T) {
	a := &amazon{}
	a.api = func(_ int, r *http.Request) reply {
		if got, want := r.Header.Get("Accept"), "application/json"; got != want {
			t.Errorf("got Accept %q, want %q", got, want)
		}
		if got, want := r.Header.Get("User-Agent"), "credsync"; got != want {
			t.Errorf("got User-Agent %q, want %q", got, want)
		}
		if got, want := r.URL.Host, "api.amazonalexa.com"; got != want {
			t.Errorf("got host %q, want %q", got, want)
		}
		return ok(goodPair)
	}
	got, err := a.open(t).Fetch(t.Context(), skill)
	if err != nil {
		t.Fatal(err)
	}
	want := credential.Credential{Skill: skill, ClientID: pairID, ClientSecret: credential.NewSecret(pairKey)}
	if !got.Equal(want) {
		t.Errorf("got another pair than Amazon gave: %v", got)
	}
	if diff := cmp.Diff(a.apiCalls, []string{"/v1/skills/" + string(skill) + "/credentials"}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(a.bearers, []string{"Bearer Atza|token-1"}); diff != "" {
		t.Error(diff)
	}
	form := a.lwaCalls[0]
	want2 := map[string][]string{"grant_type": {"refresh_token"}, "refresh_token": {ourToken}, "client_id": {ourID}, "client_secret": {ourKey}}
	if diff := cmp.Diff(map[string][]string(form), want2); diff != "" {
		t.Error(diff)
	}
	if r := a.forms[0]; r.Header.Get("Authorization") != "" || r.URL.RawQuery != "" {
		t.Error("the client secret stood in a header or the URL; it belongs in the form")
	}
}

func TestFetchKeepsThePathOfAPIURL(t *testing.T) {
	a := &amazon{}
	c := config(t)
	c.APIURL = "http://127.0.0.1:1/smapi/"
	if _, err := open(c, Options{}, a).Fetch(t.Context(), skill); err != nil {
		t.Fatal(err)
	}
	if got, want := a.apiCalls[0], "/smapi/v1/skills/"+string(skill)+"/credentials"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFetchRefusesWhatIsNoSkillID(t *testing.T) {
	for _, id := range []credential.SkillID{"", ".", "..", "a/../b", "a?b", "a%2fb", "a b", credential.SkillID(strings.Repeat("a", 256))} {
		a := &amazon{}
		_, err := a.open(t).Fetch(t.Context(), id)
		wantErr(t, err, source.ErrInvalid)
		if api, lwa := a.calls(); api+lwa != 0 {
			t.Errorf("%q: got %d calls, want none", id, api+lwa)
		}
	}
}

// Every status in the bodies that Amazon gives it, and what it means to us.
func TestFetchStatuses(t *testing.T) {
	bodies := map[string]string{
		"empty":        "",
		"bare":         `{"code":"RESOURCE_NOT_FOUND","message":"the message"}`,
		"wrapped":      `{"error":{"code":"RESOURCE_NOT_FOUND","message":"the message"}}`,
		"violations":   `{"message":"the message","violations":[{"code":"X","message":"the message"}]}`,
		"HTML":         "<html>the message</html>",
		"null":         "null",
		"array":        "[1]",
		"odd types":    `{"code":7,"error":"the message"}`,
		"strange code": `{"code":"the message"}`,
	}
	tests := []struct {
		status   int
		want     error
		api, lwa int
	}{
		{400, source.ErrInvalid, 1, 1},
		{401, source.ErrDenied, 2, 2},
		{402, source.ErrInvalid, 1, 1},
		{403, source.ErrDenied, 1, 1},
		{404, source.ErrNotFound, 1, 1},
		{405, source.ErrInvalid, 1, 1},
		{408, source.ErrInvalid, 1, 1},
		{409, source.ErrInvalid, 1, 1},
		{410, source.ErrInvalid, 1, 1},
		{412, source.ErrInvalid, 1, 1},
		{418, source.ErrInvalid, 1, 1},
		{451, source.ErrInvalid, 1, 1},
		{201, source.ErrInvalid, 1, 1},
		{202, source.ErrInvalid, 1, 1},
		{204, source.ErrInvalid, 1, 1},
		{206, source.ErrInvalid, 1, 1},
		{301, source.ErrInvalid, 1, 1},
		{302, source.ErrInvalid, 1, 1},
		{304, source.ErrInvalid, 1, 1},
		{307, source.ErrInvalid, 1, 1},
		{308, source.ErrInvalid, 1, 1},
		{500, source.ErrUnavailable, 3, 1},
		{501, source.ErrUnavailable, 3, 1},
		{502, source.ErrUnavailable, 3, 1},
		{503, source.ErrUnavailable, 3, 1},
		{504, source.ErrUnavailable, 3, 1},
		{520, source.ErrUnavailable, 3, 1},
	}
	for _, tt := range tests {
		for form, body := range bodies {
			t.Run(fmt.Sprint(tt.status, " ", form), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const id = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
					a := always(reply{status: tt.status, body: body, header: map[string]string{"X-Amzn-RequestId": id, "Location": "https://elsewhere.example/"}})
					c, err := a.open(t).Fetch(t.Context(), skill)
					wantErr(t, err, tt.want)
					if c.ClientID != "" || !c.ClientSecret.IsZero() {
						t.Error("a pair came with the error")
					}
					if api, lwa := a.calls(); api != tt.api || lwa != tt.lwa {
						t.Errorf("got %d calls of the API and %d of LWA, want %d and %d", api, lwa, tt.api, tt.lwa)
					}
					text := err.Error()
					for _, want := range []string{string(skill), fmt.Sprint(tt.status), id} {
						if !strings.Contains(text, want) {
							t.Errorf("%q does not name %s", text, want)
						}
					}
					if strings.Contains(text, "the message") || strings.Contains(text, "elsewhere") {
						t.Errorf("%q repeats what the peer wrote", text)
					}
					if got, want := strings.Contains(text, "RESOURCE_NOT_FOUND"), form == "bare" || form == "wrapped"; got != want {
						t.Errorf("%q: code named: %v, want %v", text, got, want)
					}
				})
			})
		}
	}
}

func TestFetchWithoutAnswer(t *testing.T) {
	tests := map[string]struct {
		reply reply
		says  string
	}{
		"refused":  {reply{err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, "nothing listens at api_url"},
		"reset":    {reply{err: syscall.ECONNRESET}, "api_url: connection reset"},
		"no host":  {reply{err: &net.DNSError{Name: "api.example", IsNotFound: true}}, "the host of api_url has no address"},
		"EOF":      {reply{err: io.EOF}, "cut off"},
		"odd":      {reply{err: errors.New("secret sauce")}, "no usable answer"},
		"cut body": {reply{status: 200, body: goodPair[:40], cut: true}, "cut off"},
		"hang":     {reply{hang: true}, "no whole answer within 15s"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := always(tt.reply)
				_, err := a.open(t).Fetch(t.Context(), skill)
				wantErr(t, err, source.ErrUnavailable)
				if api, _ := a.calls(); api != 3 {
					t.Errorf("got %d attempts, want 3", api)
				}
				if !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "sauce") {
					t.Errorf("got %q, want %q in it", err, tt.says)
				}
			})
		})
	}
}

func TestFetchSurvivesTwoBadAnswers(t *testing.T) {
	for name, bad := range map[string]reply{
		"503": {status: 503}, "reset": {err: syscall.ECONNRESET}, "cut": {status: 200, body: goodPair[:9], cut: true}, "hang": {hang: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &amazon{api: func(n int, _ *http.Request) reply {
					if n < 3 {
						return bad
					}
					return ok(goodPair)
				}}
				if _, err := a.open(t).Fetch(t.Context(), skill); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestFetchOfTooLargeAnAnswer(t *testing.T) {
	a := always(ok(strings.Repeat(" ", maxAnswer) + goodPair))
	_, err := a.open(t).Fetch(t.Context(), skill)
	wantErr(t, err, source.ErrInvalid)
	if api, _ := a.calls(); api != 1 {
		t.Errorf("got %d attempts, want 1", api)
	}
	padded := strings.Repeat(" ", maxAnswer-len(goodPair)) + goodPair
	if _, err := always(ok(padded)).open(t).Fetch(t.Context(), skill); err != nil {
		t.Errorf("an answer of just the limit: %v", err)
	}
}

// Without a token no skill can be asked for, and that reads the same for each,
// so that it can be told once.
func TestNoTokenIsNoNewsOfASkill(t *testing.T) {
	for name, bad := range map[string]reply{
		"refused":     {status: 400, body: `{"error":"invalid_grant"}`},
		"unavailable": {status: 503},
		"no answer":   {err: syscall.ECONNREFUSED},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &amazon{lwa: func(n int, _ url.Values) reply {
					bad := bad
					bad.header = map[string]string{"X-Amzn-Requestid": fmt.Sprintf("01234567-89ab-cdef-0123-%012d", n)}
					return bad
				}}
				s := a.open(t)
				_, first := s.Fetch(t.Context(), skill)
				time.Sleep(time.Hour)
				_, second := s.Fetch(t.Context(), "amzn1.ask.skill.another")
				_, third := s.Skills(t.Context(), "M1")
				for _, err := range []error{second, third, s.Check(t.Context())} {
					if err == nil || err.Error() != first.Error() || !strings.HasPrefix(err.Error(), "access token: ") {
						t.Errorf("got %q and %q, want one text", first, err)
					}
				}
			})
		})
	}
}

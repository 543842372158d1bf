package smapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

// badAnswers are answers to the question for a pair that are no pair: all of
// hostile, and what comes with another status, or not whole.
func badAnswers() map[string]reply {
	all := map[string]reply{
		"a pair of 1 MiB":     ok(pair(quoted(pairID), quoted(strings.Repeat("abcd", 1<<18)))),
		"a pair and 2 MiB":    ok(goodPair + strings.Repeat(" ", 2<<20)),
		"a pair that is cut":  {status: 200, body: goodPair, cut: true},
		"no answer":           {err: errors.New("connection reset")},
		"an answer of a page": {status: 200, body: goodPair + "<script>", header: map[string]string{"Content-Type": "text/html"}},
	}
	for name, body := range hostile() {
		all["200: "+name] = ok(body)
	}
	for _, status := range []int{201, 202, 203, 204, 205, 206, 207, 226, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 409, 410, 412, 418, 422, 451, 500, 501, 502, 503, 504, 511, 599} {
		all[fmt.Sprintf("a pair with status %d", status)] = reply{status: status, body: goodPair}
	}
	return all
}

// badTokens are answers of Login with Amazon that are no access token.
func badTokens() map[string]reply {
	all := map[string]reply{"no answer": {err: errors.New("connection reset")}, "a token that is cut": {status: 200, body: goodToken, cut: true}}
	for name, body := range map[string]string{
		"empty": "", "null": "null", "number": "7", "string": `"Atza|x"`, "array": "[" + goodToken + "]", "empty object": "{}", "HTML": "<html>Sign in</html>",
		"BOM": "\ufeff" + goodToken, "cut JSON": goodToken[:40], "trailing word": goodToken + "x", "two objects": goodToken + goodToken, "single quotes": strings.ReplaceAll(goodToken, `"`, `'`),
		"error in a 200": `{"error":"invalid_grant"}`, "error beside a token": `{"error":"invalid_grant",` + goodToken[1:], "refresh token alone": `{"refresh_token":"Atzr|x","token_type":"bearer"}`, "wrapped": `{"token":` + goodToken + `}`,
		"other case": `{"Access-Token":"Atza|x","token_type":"bearer"}`, "too large": goodToken + strings.Repeat(" ", maxTokenAnswer),
	} {
		all["200: "+name] = ok(body)
	}
	for name, value := range map[string]string{
		"null": "null", "number": "7", "object": "{}", "array": `["Atza|x"]`, "bool": "true", "empty": `""`, "a space": `" "`, "a space inside": `"Atza|x y"`, "a line end": `"Atza|x\n"`, "two lines": `"Atza|x\r\nX-Evil: 1"`,
		"NUL": `"Atza|\u0000"`, "not ASCII": `"Atza|ü"`, "DEL": `"Atza|\u007f"`, "too long": quoted("Atza|" + strings.Repeat("x", maxToken)),
	} {
		all["access token is "+name] = ok(`{"access_token":` + value + `,"token_type":"bearer","expires_in":3600}`)
	}
	for name, value := range map[string]string{"mac": `"mac"`, "number": "7", "DPoP": `"DPoP"`, "bearer twice": `"bearer bearer"`} {
		all["token type is "+name] = ok(`{"access_token":"Atza|x","token_type":` + value + `,"expires_in":3600}`)
	}
	for _, status := range []int{300, 301, 302, 307, 400, 401, 403, 404, 405, 410, 418, 500, 502, 503} {
		all[fmt.Sprintf("a token with status %d", status)] = reply{status: status, body: goodToken}
	}
	return all
}

// classes are the errors of which every failure of a source is one.
var classes = []error{source.ErrNotFound, source.ErrDenied, source.ErrInvalid, source.ErrRejected, source.ErrRateLimited, source.ErrUnavailable}

func TestABadAnswerIsAnErrorOfItsClass(t *testing.T) {
	answers, tokens := badAnswers(), badTokens()
	if len(answers) < 60 || len(tokens) < 40 {
		t.Fatalf("%d bad answers and %d bad tokens are too few", len(answers), len(tokens))
	}
	check := func(name string, a *amazon) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, err := a.open(t).Fetch(t.Context(), skill)
				if !slices.ContainsFunc(classes, func(class error) bool { return errors.Is(err, class) }) || c.ClientID != "" || !c.ClientSecret.IsZero() {
					t.Errorf("got an ID of %d bytes and error %v", len(c.ClientID), err)
				}
			})
		})
	}
	for name, p := range answers {
		check("answer/"+name, always(p))
	}
	for name, p := range tokens {
		check("token/"+name, lwaAlways(p))
	}
	t.Logf("%d bad answers, %d bad tokens", len(answers), len(tokens))
}

// Whatever Login with Amazon answers, there is a bearer token that fits into a
// header, or an error of a class that repeats nothing.
func FuzzToken(f *testing.F) {
	const canary = "Hunter2Canary"
	for _, p := range badTokens() {
		if len(p.body) < 4096 {
			f.Add(p.status, p.body)
		}
	}
	for _, body := range []string{goodToken, `{"error":"%s","error_description":"%s"}`, `{"access_token":"%s","token_type":"%s","expires_in":"%s"}`, "error=%s&error_description=%s", "<p>%s"} {
		f.Add(200, body)
		f.Add(400, body)
		f.Add(503, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return // not an answer to net/http
		}
		said := strings.ReplaceAll(body, "%s", canary)
		l := lwaAlways(reply{status: status, body: said}).open(t).lwa
		got, err := l.refreshed(t.Context(), grant{clientID: ourID, secret: credential.NewSecret(ourKey), refresh: credential.NewSecret(ourToken)})
		switch {
		case err == nil && (status/100 != 2 || got.AccessToken == "" || !printable(got.AccessToken) || !strings.EqualFold(got.Type(), "bearer")):
			t.Errorf("status %d and %q gave a token", status, said)
		case err != nil && (!slices.ContainsFunc(classes, func(class error) bool { return errors.Is(err, class) }) || strings.Contains(shown(err), canary)):
			t.Errorf("status %d and %q gave: %v", status, said, err)
		}
	})
}

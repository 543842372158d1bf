package smapi

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/credsync/credsync/internal/source"
)

// pair returns the answer whose two members are the given JSON values.
func pair(id, secret string) string {
	return fmt.Sprintf(`{"skillMessagingCredentials":{"clientId":%s,"clientSecret":%s}}`, id, secret)
}

func quoted(s string) string { return `"` + s + `"` }

func TestPairsThatPass(t *testing.T) {
	id, key := quoted(pairID), quoted(pairKey)
	tests := map[string]string{
		"as issued now":         goodPair,
		"as issued once":        pair(quoted("amzn1.iba-client.0123456789abcdef0123456789abcdef"), quoted(strings.Repeat("0123456789abcdef", 4))),
		"documentation example": `{ "skillMessagingCredentials": { "clientId": "client.id.1", "clientSecret": "client.secret.1" } }`,
		"more members":          `{"_links":{"self":{"href":"x"}},"skillMessagingCredentials":{"clientSecret":` + key + `,"x":[1,{"clientId":2}],"clientId":` + id + `},"n":null}`,
		"white space around":    " \r\n\t" + goodPair + "\n\n",
		"escapes":               pair(`"amzn1.application-oa2\u002dclient.0123456789abcdef0123456789abcdef"`, key),
		"same skill echoed":     `{"skillId":"` + string(skill) + `",` + goodPair[1:],
		"strange but opaque":    pair(quoted("!#$%&'()+,-./:;=?@[]^_`|~abc"), quoted("~|`_^][@?=;:/.-,+)('&%$#!abc")),
		"shortest":              pair(quoted("abcdefgh"), quoted("hgfedcba")),
		"longest":               pair(quoted(strings.Repeat("abcd", 64)), quoted(strings.Repeat("abcd", 512))),
		"other case ignored":    `{"SkillMessagingCredentials":7,` + goodPair[1:],
		"strangers come twice":  `{"a":1,"a":2,` + goodPair[1:],
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := always(ok(body)).open(t).Fetch(t.Context(), skill); err != nil {
				t.Error(err)
			}
		})
	}
}

// hostile are 200s that are not a pair. Each is refused, at the first attempt,
// without a word of what it holds.
func hostile() map[string]string {
	id, key := quoted(pairID), quoted(pairKey)
	corpus := map[string]string{
		"empty":                   "",
		"white space":             " \n",
		"BOM":                     "\ufeff" + goodPair,
		"UTF-16":                  string([]byte{0xff, 0xfe}) + wide(goodPair),
		"null":                    "null",
		"true":                    "true",
		"number":                  "7",
		"string":                  `"x"`,
		"array":                   "[" + goodPair + "]",
		"empty array":             "[]",
		"empty object":            "{}",
		"HTML":                    "<!DOCTYPE html><html><body>Sign in</body></html>",
		"XML":                     "<clientId>x</clientId>",
		"form":                    "clientId=" + pairID + "&clientSecret=" + pairKey,
		"error in a 200":          `{"message":"Token is invalid/expired."}`,
		"invalid UTF-8 elsewhere": "{\"x\":\"\xff\"," + goodPair[1:],
		"two objects":             goodPair + goodPair,
		"two lines":               goodPair + "\n" + goodPair,
		"trailing comma":          goodPair + ",",
		"trailing word":           goodPair + "x",
		"trailing NUL":            goodPair + "\x00",
		"cut":                     goodPair[:len(goodPair)-1],
		"cut in the secret":       goodPair[:len(goodPair)-20],
		"comment":                 "/* */" + goodPair,
		"single quotes":           strings.ReplaceAll(goodPair, `"`, `'`),
		"JSON in a string":        fmt.Sprintf("%q", goodPair),
		"bare pair":               `{"clientId":` + id + `,"clientSecret":` + key + `}`,
		"null pair":               `{"skillMessagingCredentials":null}`,
		"string for the pair":     `{"skillMessagingCredentials":"x"}`,
		"array for the pair":      `{"skillMessagingCredentials":[{"clientId":` + id + `,"clientSecret":` + key + `}]}`,
		"empty pair":              `{"skillMessagingCredentials":{}}`,
		"ID alone":                `{"skillMessagingCredentials":{"clientId":` + id + `}}`,
		"secret alone":            `{"skillMessagingCredentials":{"clientSecret":` + key + `}}`,
		"outer key in other case": strings.Replace(goodPair, "skillM", "SkillM", 1),
		"inner key in other case": strings.Replace(goodPair, "clientSecret", "clientsecret", 1),
		"pair comes twice":        goodPair[:len(goodPair)-1] + "," + goodPair[1:],
		"ID comes twice":          `{"skillMessagingCredentials":{"clientId":` + id + `,"clientId":` + id + `,"clientSecret":` + key + `}}`,
		"secret comes twice":      `{"skillMessagingCredentials":{"clientId":` + id + `,"clientSecret":"x","clientSecret":` + key + `}}`,
		"twice, once escaped":     `{"skillMessagingCredentials":{"clientId":` + id + `,"clientSecret":` + key + `,"client\u0053ecret":` + key + `}}`,
		"another skill echoed":    `{"skillId":"amzn1.ask.skill.other",` + goodPair[1:],
		"odd skill echoed":        `{"skillId":7,` + goodPair[1:],
		"same value twice":        pair(key, key),
		"same old value twice":    pair(quoted(strings.Repeat("0123456789abcdef", 4)), quoted(strings.Repeat("0123456789abcdef", 4))),
		"changed places":          pair(key, id),
		"secret is an ID":         pair(id, quoted("amzn1.application-oa2-client.ffff456789abcdef0123456789abcdef")),
		"deep":                    strings.Repeat(`{"skillMessagingCredentials":`, 20000) + strings.Repeat("}", 20000),
		"many brackets":           strings.Repeat("[", 100000),
	}
	values := map[string]string{
		"null": "null", "number": "7", "bool": "true", "object": "{}", "array": `["` + pairKey + `"]`, "empty": `""`,
		"spaces": `"        "`, "space inside": `"abcdefgh ijkl"`, "space before": `" ` + pairKey + `"`, "space after": `"` + pairKey + ` "`,
		"newline after": `"` + pairKey + `\n"`, "tab": `"abcdefgh\tij"`, "NUL": `"abcdefgh\u0000ij"`, "raw NUL": "\"abcdefgh\x00ij\"", "DEL": `"abcdefgh\u007fij"`,
		"invalid UTF-8": "\"abcdefgh\xff\xfeij\"", "lone surrogate": `"abcdefgh\ud800ij"`, "not ASCII": `"abcdefghüij"`, "zero width": `"abcdefgh\u200bij"`,
		"word null": `"null"`, "undefined": `"undefined"`, "REDACTED": `"REDACTED"`, "[redacted]": `"[redacted]"`, "<redacted>": `"<redacted>"`, "placeholder": `"PLACEHOLDER"`, "changeme": `"changeme"`,
		"stars": `"********"`, "half stars": `"amzn1.oa2-cs.v1.****1e2d"`, "xs": `"xxxxxxxxxxxxxxxx"`, "dashes": `"----------------"`, "template": `"{{client_secret}}"`, "shell": `"${CLIENT_SECRET}"`,
		"HTML": `"<html></html>"`, "too short": `"abcdefg"`, "too long": `"` + strings.Repeat("abcd", 513) + `"`,
		"access token": `"Atza|IwEBabcdefgh"`, "refresh token": `"Atzr|IwEBabcdefgh"`, "skill ID": quoted(string(skill)),
	}
	for name, v := range values {
		corpus["ID is "+name] = pair(v, key)
		corpus["secret is "+name] = pair(id, v)
	}
	return corpus
}

func wide(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

func TestHostileAnswersAreNoPairs(t *testing.T) {
	corpus := hostile()
	if len(corpus) < 60 {
		t.Fatalf("the corpus has %d answers, too few", len(corpus))
	}
	for name, body := range corpus {
		t.Run(name, func(t *testing.T) {
			a := always(ok(body))
			c, err := a.open(t).Fetch(t.Context(), skill)
			wantErr(t, err, source.ErrInvalid)
			if c.ClientID != "" || !c.ClientSecret.IsZero() {
				t.Error("half a pair came with the error")
			}
			if api, _ := a.calls(); api != 1 {
				t.Errorf("got %d attempts, want 1", api)
			}
			if text := shown(err); strings.Contains(text, pairKey[20:]) || strings.Contains(text, pairID[30:]) {
				t.Errorf("the error shows the answer: %v", err)
			}
		})
	}
}

func FuzzDecodePair(f *testing.F) {
	f.Add([]byte(goodPair))
	for _, body := range hostile() {
		if len(body) < 4096 {
			f.Add([]byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := decodePair(body, skill)
		if err != nil {
			if c.ClientID != "" || !c.ClientSecret.IsZero() {
				t.Error("a pair came with the error")
			}
			return
		}
		v := c.ClientSecret.Reveal()
		if c.Skill != skill || !printable(c.ClientID+v) || len(c.ClientID) < minHalf || len(v) < minHalf || c.ClientID == v {
			t.Errorf("%q gave an implausible pair", body)
		}
	})
}

func BenchmarkDecodePair(b *testing.B) {
	body := []byte(goodPair)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := decodePair(body, skill); err != nil {
			b.Fatal(err)
		}
	}
}

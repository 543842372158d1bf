package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A scan looks for secrets in what came out of a program.
type scan struct {
	secrets map[string]string // by value: what it is; there may be more at each look
	size    int               // of all that was looked through
	found   []string

	known  map[string]bool    // of secrets, those in shapes
	shapes map[string][]shape // by the bytes that they begin with
}

// A shape is a secret in one disguise.
type shape struct{ secret, what, form, text string }

// beginning is how much of a shape its place among all shapes is told by.
const beginning = 8

// learn makes shapes of the secrets that are new.
func (s *scan) learn() {
	if s.known == nil {
		s.known, s.shapes = make(map[string]bool), make(map[string][]shape)
	}
	for value, what := range s.secrets {
		if s.known[value] {
			continue
		}
		s.known[value] = true
		for form, text := range disguises(value) {
			s.shapes[text[:beginning]] = append(s.shapes[text[:beginning]], shape{value, what, form, text})
		}
	}
}

// look looks for every secret, in every disguise, in text, which came out at
// where.
func (s *scan) look(where, text string) {
	s.learn()
	s.size += len(text)
	told := make(map[string]bool)
	for i := range max(0, len(text)-beginning+1) {
		for _, sh := range s.shapes[text[i:i+beginning]] {
			if !told[sh.secret] && strings.HasPrefix(text[i:], sh.text) {
				told[sh.secret] = true
				s.found = append(s.found, fmt.Sprintf("%s shows the %s %s: %q", where, sh.what, sh.form, text[max(0, i-160):i+len(sh.text)]))
			}
		}
	}
	for _, prefix := range []string{"Atza|", "Atzr|", "Atc|", "hvs."} {
		if i := strings.Index(text, prefix); i >= 0 {
			s.found = append(s.found, fmt.Sprintf("%s shows a token: %q", where, text[max(0, i-160):min(len(text), i+40)]))
		}
	}
}

// wantNothing fails the test for what was found.
func (s *scan) wantNothing(t *testing.T) {
	t.Helper()
	for i, what := range s.found {
		if i < 10 {
			t.Error(what)
		}
	}
	t.Logf("looked for %d secrets, %d disguises each, in %d KiB: %d found", len(s.secrets), len(disguises("secret")), s.size>>10, len(s.found))
}

// disguises returns the shapes that a secret may leave in.
func disguises(secret string) map[string]string {
	shapes := map[string]string{
		"as it is":        secret,
		"by its end":      secret[len(secret)/2:],
		"reversed":        reversed(secret),
		"in hex":          hex.EncodeToString([]byte(secret)),
		"in capital hex":  strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"spaced hex":      strings.TrimSpace(fmt.Sprintf("% x", secret)),
		"as Go's bytes":   strings.Trim(fmt.Sprintf("%d", []byte(secret)), "[]"),
		"as Go's hex":     strings.Trim(fmt.Sprintf("%#v", []byte(secret)), "[]byte{}"),
		"URL-escaped":     url.QueryEscape(secret),
		"path-escaped":    url.PathEscape(secret),
		"in a path":       (&url.URL{Path: "/" + secret}).EscapedPath()[1:],
		"escaped wholly":  percent(secret),
		"escaped in JSON": quoted(secret, true),
		"in plain JSON":   quoted(secret, false),
		"quoted by Go":    strings.Trim(strconv.Quote(secret), `"`),
		"escaped twice":   strings.Trim(strconv.Quote(quoted(secret, true)), `"`),
		"in HTML":         html.EscapeString(secret),
	}
	// Inside a longer text base64 shows a secret in one of three alignments, and
	// the characters at its ends depend on the neighbours.
	for shift := range 3 {
		whole := strings.Repeat("\x00", shift) + secret
		whole, before := whole[:len(whole)/3*3], (shift*8+5)/6
		shapes[fmt.Sprintf("in base64 shifted by %d", shift)] = base64.StdEncoding.EncodeToString([]byte(whole))[before:]
		shapes[fmt.Sprintf("in URL base64 shifted by %d", shift)] = base64.URLEncoding.EncodeToString([]byte(whole))[before:]
	}
	return shapes
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

func percent(s string) (escaped string) {
	for _, b := range []byte(s) {
		escaped += fmt.Sprintf("%%%02X", b)
	}
	return escaped
}

func quoted(s string, forHTML bool) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(forHTML)
	_ = e.Encode(s)                  // a string can be encoded
	return b.String()[1 : b.Len()-2] // and stands between quotes, before a newline
}

// A scan that finds nothing would look like a program that says nothing.
func TestEachDisguiseOfASecretIsFound(t *testing.T) {
	const secret = `Canary|+/="<&>\'%~0123456789ü`
	said := map[string]string{
		"raw": secret, "half": secret[len(secret)/2:], "reversed": reversed(secret),
		"hex": fmt.Sprintf("%x", secret), "capital hex": fmt.Sprintf("%X", secret), "spaced hex": fmt.Sprintf("% x", "a"+secret+"z"),
		"%v of bytes": fmt.Sprintf("%v", []byte("a"+secret+"z")), "%#v of bytes": fmt.Sprintf("%#v", []byte("a"+secret+"z")), "%q": fmt.Sprintf("%q", "a"+secret),
		"query": url.Values{"a": {"b" + secret}}.Encode(), "path": (&url.URL{Path: "/" + secret}).EscapedPath(), "percent": percent(secret),
		"JSON": encode(t, []string{"a" + secret}), "JSON in JSON": encode(t, encode(t, secret)), "JSON quoted by Go": fmt.Sprintf("%q", encode(t, secret)),
		"HTML": "<p>" + html.EscapeString(secret) + "</p>",
	}
	for before := range 4 {
		for after := range 4 {
			text := []byte(strings.Repeat("a", before) + secret + strings.Repeat("z", after))
			for name, e := range map[string]*base64.Encoding{"std": base64.StdEncoding, "raw std": base64.RawStdEncoding, "URL": base64.URLEncoding, "raw URL": base64.RawURLEncoding} {
				said[fmt.Sprintf("base64 %s %d %d", name, before, after)] = e.EncodeToString(text)
			}
		}
	}
	for how, text := range said {
		s := scan{secrets: map[string]string{secret: "canary"}}
		if s.look("it", "time=now "+text+" level=info"); len(s.found) == 0 {
			t.Errorf("%s is not found in %s", how, text)
		}
	}
	s := scan{secrets: map[string]string{secret: "canary"}}
	if s.look("it", strings.Repeat("Canary 0123456 "+base64.StdEncoding.EncodeToString([]byte("Canary"))+"\n", 100)); len(s.found) > 0 {
		t.Errorf("found what is not there: %v", s.found)
	}
	t.Logf("found in %d texts", len(said))
}

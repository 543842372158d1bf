package credential_test

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/credential"
)

func TestParseSkillID(t *testing.T) {
	good := []string{
		"amzn1.ask.skill.01234567-89ab-cdef-0123-456789abcdef", "amzn1.echo-sdk-ams.app.01234567-89ab-cdef-0123-456789abcdef",
		"a", "7", "A_b-c.d", strings.Repeat("x", 255), "a.", "a-", "a_",
	}
	for _, s := range good {
		if got, err := credential.ParseSkillID(s); err != nil || string(got) != s {
			t.Errorf("%q: got %q, %v", s, got, err)
		}
	}
	bad := []string{
		"", ".", "..", "-", "_", ".a", "-a", "_a", "a..b", "a/b", `a\b`, "a b", " a", "a ", "a\n", "a\x00", "a%2fb", "a?b", "a#b", "a:b", "a@b", "a,b", "a*b", "a~b", "a|b", "a$b", "a'b", `a"b`,
		"ä", "a\u200b", "a\u0301", "\ufeffa", "a\xff", "а", strings.Repeat("x", 256),
	}
	for _, s := range bad {
		if got, err := credential.ParseSkillID(s); err == nil || got != "" {
			t.Errorf("%q: got %q, %v, want an error", s, got, err)
		} else if strings.ContainsAny(err.Error(), "\n\x00\u200b\ufeff") {
			t.Errorf("%q: %q is not one clean line", s, err)
		}
	}
}

func TestUUID(t *testing.T) {
	tests := map[credential.SkillID]string{
		"amzn1.ask.skill.01234567-89ab-cdef-0123-456789abcdef": "01234567-89ab-cdef-0123-456789abcdef",
		"amzn1.ask.skill.01234567-89AB-CDEF-0123-456789ABCDEF": "01234567-89ab-cdef-0123-456789abcdef",
		"01234567-89ab-cdef-0123-456789abcdef":                 "01234567-89ab-cdef-0123-456789abcdef",
		"amzn1.ask.skill.01234567-89ab-cdef-0123-456789abcde":  "",
		"amzn1.ask.skill.x": "",
		"":                  "",
		"amzn1.ask.skill.01234567-89ab-cdef-0123-456789abcdef.x": "",
	}
	for id, want := range tests {
		if got, ok := id.UUID(); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %v, want %q", id, got, ok, want)
		}
	}
}

func FuzzParseSkillID(f *testing.F) {
	for _, s := range []string{"amzn1.ask.skill.01234567-89ab-cdef-0123-456789abcdef", "", "..", "a/b", "a%2f", "\xff", "a\u202e"} {
		f.Add(s)
	}
	allowed := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$`)
	f.Fuzz(func(t *testing.T, s string) {
		id, err := credential.ParseSkillID(s)
		if got, want := err == nil, allowed.MatchString(s) && !strings.Contains(s, "..") && !strings.HasSuffix(s, "\n"); got != want {
			t.Fatalf("%q: accepted: %v, want %v", s, got, want)
		}
		if err != nil {
			return
		}
		if string(id) != s || url.PathEscape(s) != s || url.QueryEscape(s) != s || filepath.Base(s) != s || !filepath.IsLocal(s) {
			t.Errorf("%q means another thing in a URL or on a disk", s)
		}
	})
}

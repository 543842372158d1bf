package sinktest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/sink"
)

// No error tells a secret, even where the backend echoes what it was sent.
// Every case looks at each error that it meets; these provoke them.

var leaks = slices.Concat(
	leaking(Garbage), leaking(Denied), leaking(Throttled), leaking(Unavailable), leaking(LostAnswer),
)

// leaking returns the cases of a backend that fails by kind.
func leaking(kind FailureKind) []testCase {
	var cases []testCase
	for _, writesOnly := range []bool{false, true} {
		f := Failure{Kind: kind, Times: -1, WritesOnly: writesOnly}
		name := fmt.Sprintf("%s: no error tells a secret", kind)
		if writesOnly {
			name = fmt.Sprintf("%s for writes: no error tells a secret", kind)
		}
		cases = append(cases, testCase{name, func(b *bench) {
			_, s := b.create(1, "a")
			b.h.Foreign(b.T, b.name(3), "")
			b.fail(f)
			_, err := b.h.Sink.Inspect(b.Context(), b.name(1))
			b.redacted(err)
			_, err = b.h.Sink.Put(b.Context(), b.name(1), b.record(1, "b"), s)
			b.redacted(err)
			_, err = b.h.Sink.Put(b.Context(), b.name(2), b.record(2, "c"), sink.State{})
			b.redacted(err)
			_, err = b.h.Sink.Put(b.Context(), b.name(3), b.record(3, "d"), sink.State{})
			b.redacted(err)
		}})
	}
	return cases
}

// redacted wants no text of err to hold a secret of this case.
func (b *bench) redacted(err error) {
	b.Helper()
	if err == nil {
		return
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%q"} {
		text := fmt.Sprintf(format, err)
		for _, canary := range b.canaries {
			for name, form := range disguises(canary) {
				if strings.Contains(text, form) {
					b.Errorf("the error printed with %s holds a secret, %s", format, name)
				}
			}
		}
	}
}

// disguises returns the shapes that a secret takes on its way through a wire.
func disguises(secret string) map[string]string {
	escaped, _ := json.Marshal(secret)
	d := map[string]string{
		"as it is":     secret,
		"JSON-escaped": string(escaped[1 : len(escaped)-1]),
		"quoted":       strings.Trim(fmt.Sprintf("%q", secret), `"`),
		"URL-escaped":  url.QueryEscape(secret),
		"path-escaped": url.PathEscape(secret),
		"in hex":       hex.EncodeToString([]byte(secret)),
		"in part":      secret[len(secret)/3 : 2*len(secret)/3],
	}
	// Inside a longer text, base64 shows the secret in one of three alignments;
	// the characters at both ends depend on the neighbours.
	for shift := range 3 {
		padded := strings.Repeat("\x00", shift) + secret
		whole := padded[:len(padded)/3*3]
		d[fmt.Sprintf("in base64 shifted by %d", shift)] = base64.StdEncoding.EncodeToString([]byte(whole))[4:]
		d[fmt.Sprintf("in URL base64 shifted by %d", shift)] = base64.URLEncoding.EncodeToString([]byte(whole))[4:]
	}
	return d
}

package smapi

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/credential"
)

// placeholders are what stands where a value should, in lower case.
var placeholders = []string{
	"null", "none", "undefined", "redacted", "hidden", "masked", "placeholder", "changeme", "change_me", "unavailable",
}

// strangers begin values of other kinds that Amazon issues: tokens and IDs.
var strangers = []string{"Atza|", "Atzr|", "Atc|", "amzn1.ask.", "amzn1.account.", "amzn1.echo-sdk-ams."}

// half returns one half of a pair: a string of minHalf to most characters of
// printable ASCII without spaces, that is neither masked nor a placeholder nor
// evidently something else. Whatever else it is, is Amazon's business.
func half(raw json.RawMessage, most int) (credential.Secret, error) {
	v, err := text(raw)
	if err != nil {
		return credential.Secret{}, err
	}
	switch {
	case v == "":
		return credential.Secret{}, errors.New("empty")
	case !printable(v):
		return credential.Secret{}, errors.New("holds a space or a character that is not printable ASCII")
	case len(v) < minHalf:
		return credential.Secret{}, errors.New("too short")
	case len(v) > most:
		return credential.Secret{}, errors.New("too long")
	case masked(v):
		return credential.Secret{}, errors.New("masked or a placeholder")
	}
	for _, prefix := range strangers {
		if strings.HasPrefix(v, prefix) {
			return credential.Secret{}, errors.New("another kind of token or ID")
		}
	}
	return credential.NewSecret(v), nil
}

// masked reports whether v hides a value or stands for a missing one.
func masked(v string) bool {
	if strings.Contains(v, "***") || strings.ContainsAny(v, `<>{}"`) {
		return true
	}
	word := strings.Trim(strings.ToLower(v), "[]()-_.#'")
	if slices.Contains(placeholders, word) {
		return true
	}
	var seen [256]bool
	distinct := 0
	for i := range len(v) {
		if !seen[v[i]] {
			seen[v[i]] = true
			distinct++
		}
	}
	return distinct < 4 // "xxxxxxxx", "--------", "01010101"
}

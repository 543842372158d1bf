package credential_test

import (
	"testing"

	"github.com/credsync/credsync/internal/credential"
)

func TestFill(t *testing.T) {
	pair := credential.Credential{ClientID: "{client_secret}", ClientSecret: credential.NewSecret("{label}{")}
	for template, want := range map[string]string{
		"":                             "",
		"plain":                        "plain",
		"{client_id}":                  "{client_secret}", // a value is not filled itself
		"a{client_secret}b{label}c":    "a{label}{bkitchenc",
		"{{client_id}}":                "{{client_secret}}",
		"{unknown}{client_id":          "{unknown}{client_id",
		"{client_id}{client_id}{label": "{client_secret}{client_secret}{label",
	} {
		if got := pair.Fill(template, "{label}", "kitchen").Reveal(); got != want {
			t.Errorf("%s: got %q, want %q", template, got, want)
		}
	}
}

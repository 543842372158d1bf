package suggest

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"address", "auth", "aws", "mount", "path", "vault_kv", "tls"}
	for wrong, want := range map[string]string{
		"adress": "address", "Address": "address", "adresss": "address", "addrses": "address",
		"vualt_kv": "vault_kv", "vaultkv": "vault_kv", "vault-kv": "vault_kv", "vault": "",
		"pth": "path", "paht": "path", "awz": "aws", "sls": "tls", "x": "", "": "", "role": "",
	} {
		if got := Nearest(wrong, known); got != want {
			t.Errorf("%q: got %q, want %q", wrong, got, want)
		}
	}
}

// A name comes from a file, and a hint is a part of one line.
func TestAHintIsOneLine(t *testing.T) {
	for wrong, want := range map[string]string{
		"acme": `sources: "acme:v\tsmapi", other`,
		"othr": `did you mean "other"? sources: "acme:v\tsmapi", other`,
	} {
		if got := Hint(wrong, []string{"acme:v\tsmapi", "other"}, "sources"); got != want {
			t.Errorf("%s: got %q, want %q", wrong, got, want)
		}
	}
}

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

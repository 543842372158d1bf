package credential_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/credsync/credsync/internal/credential"
)

// These values stand in sinks, and were computed by another program. A change here rewrites every secret everywhere.
func TestFingerprintGoldenVectors(t *testing.T) {
	private := credential.NewFingerprintKey(credential.NewSecret("the operator's key"))
	tests := []struct {
		key                     credential.FingerprintKey
		id                      string
		kind, scope, name, body string
		want                    credential.Fingerprint
	}{
		{credential.FingerprintKey{}, "v1-public", "vault_kv", "secret", "alexa/a", `{"client_id":"i","client_secret":"s"}`, "250b4f6b62354ea5ab3f67a59f48cde7c88dc43e13b388fdd0b628eb0bfcf92a"},
		{credential.FingerprintKey{}, "v1-public", "", "", "", "", "f3030742a718d88fca7d99896f858edf566789a0b9bdeacc6d67c7ece0113647"},
		{private, "v1-e54097de", "vault_kv", "secret", "alexa/a", `{"client_id":"i","client_secret":"s"}`, "c3a4e428c9783dc5b9f97d7d0b430e16e762494794dfd30eba4bc28ae35b3cd0"},
	}
	for _, tt := range tests {
		got := tt.key.Sum(tt.kind, tt.scope, tt.name, credential.NewSecret(tt.body))
		if got != tt.want {
			t.Errorf("%s %s: got %s, want %s", tt.kind, tt.name, got, tt.want)
		}
		if !got.Valid() {
			t.Errorf("%s is not valid", got)
		}
		if got := tt.key.ID(); got != tt.id {
			t.Errorf("got key ID %s, want %s", got, tt.id)
		}
	}
}

// No two inputs are hashed alike, however the same text is cut into parts.
func TestFingerprintIsInjective(t *testing.T) {
	var key credential.FingerprintKey
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SliceOfN(rapid.StringMatching(`[ab\x00]{0,4}`), 4, 4)
		a, b := part.Draw(t, "a"), part.Draw(t, "b")
		sum := func(p []string) credential.Fingerprint { return key.Sum(p[0], p[1], p[2], credential.NewSecret(p[3])) }
		if got, want := sum(a) == sum(b), strings.Join(a, "|") == strings.Join(b, "|"); got != want {
			t.Fatalf("%q and %q: equal: %v, want %v", a, b, got, want)
		}
	})
}

func TestFingerprintKeys(t *testing.T) {
	one, two := credential.NewFingerprintKey(credential.NewSecret("1")), credential.NewFingerprintKey(credential.NewSecret("2"))
	body := credential.NewSecret("x")
	sums := map[credential.Fingerprint]bool{}
	ids := map[string]bool{}
	for _, k := range []credential.FingerprintKey{{}, one, two} {
		sums[k.Sum("k", "s", "n", body)] = true
		ids[k.ID()] = true
		if strings.Contains(string(k.Sum("k", "s", "n", body)), k.ID()[3:]) {
			t.Errorf("the ID of a key shows in its fingerprints")
		}
	}
	if len(sums) != 3 || len(ids) != 3 {
		t.Errorf("got %d fingerprints and %d IDs of three keys", len(sums), len(ids))
	}
	if credential.NewFingerprintKey(credential.Secret{}).ID() != "v1-public" {
		t.Error("an empty key is not the public one")
	}
}

func TestFingerprintValid(t *testing.T) {
	good := credential.Fingerprint(strings.Repeat("0123456789abcdef", 4))
	if !good.Valid() {
		t.Errorf("%s is valid", good)
	}
	for _, f := range []credential.Fingerprint{"", good[:63], good + "0", "A" + good[1:], "g" + good[1:], " " + good[1:], "\xff" + good[1:], credential.Fingerprint(strings.Repeat("é", 32))} {
		if f.Valid() {
			t.Errorf("%q is not valid", f)
		}
	}
}

func BenchmarkSum(b *testing.B) {
	body := credential.NewSecret(`{"client_id":"amzn1.application-oa2-client.0123456789abcdef0123456789abcdef","client_secret":"` + strings.Repeat("0123456789abcdef", 5) + `"}`)
	for name, key := range map[string]credential.FingerprintKey{"public": {}, "private": credential.NewFingerprintKey(credential.NewSecret("the operator's key"))} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				key.Sum("vault_kv", "secret", "alexa/amzn1.ask.skill.01234567-89ab-cdef-0123-456789abcdef", body)
			}
		})
	}
}

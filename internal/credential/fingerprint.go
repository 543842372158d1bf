package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// A Fingerprint tells what is stored where without showing it: 64 lower-case
// hex digits, the HMAC-SHA256 of the kind of sink, the place in it, the name,
// and exactly the bytes stored. Equal values at two names have different
// fingerprints. The zero Fingerprint means that nothing is known of the value.
type Fingerprint string

// fingerprintFormat is bumped when the layout of the hashed parts changes.
const fingerprintFormat = "v1"

// publicKey is the key where the operator gave none. It need not be secret: a
// client secret has far more entropy than can be searched. A private key hides
// that two installations store the same value under one name.
const publicKey = "credsync fingerprint public key v1"

// A FingerprintKey keys fingerprints. The zero FingerprintKey is the fixed
// public key that every installation shares.
type FingerprintKey struct{ key Secret }

// NewFingerprintKey returns the key made of the operator's secret s.
func NewFingerprintKey(s Secret) FingerprintKey { return FingerprintKey{key: s} }

// ID names the format and the key: "v1-public", or "v1-" and 8 hex digits of a
// hash of the key. It is stored beside each fingerprint, so that a change of
// key is told apart from a change of values.
func (k FingerprintKey) ID() string {
	if k.key.IsZero() {
		return fingerprintFormat + "-public"
	}
	sum := sha256.Sum256([]byte("credsync fingerprint key id\x00" + k.key.Reveal()))
	return fingerprintFormat + "-" + hex.EncodeToString(sum[:4])
}

// Sum returns the fingerprint of body stored at name in the given scope (a
// Vault mount, an AWS region) of a sink of the given kind. Each part is
// length-prefixed, so no two different inputs are hashed alike.
func (k FingerprintKey) Sum(kind, scope, name string, body Secret) Fingerprint {
	key := publicKey
	if !k.key.IsZero() {
		key = k.key.Reveal()
	}
	var parts []byte
	for _, part := range []string{fingerprintFormat, kind, scope, name, body.Reveal()} {
		parts = append(binary.BigEndian.AppendUint64(parts, uint64(len(part))), part...)
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(parts)
	return Fingerprint(hex.EncodeToString(mac.Sum(nil)))
}

// Valid reports whether f has the shape of a fingerprint.
func (f Fingerprint) Valid() bool {
	if len(f) != 2*sha256.Size {
		return false
	}
	for _, c := range f {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

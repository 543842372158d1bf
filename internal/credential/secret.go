package credential

import (
	"crypto/subtle"
	"fmt"
	"io"
)

const redacted = "[redacted]"

// A Secret is a value that no printer can see: it lives in a closure, which
// fmt, reflection-based encoders and go-cmp have no way to open. The methods
// that printers look for answer "[redacted]", so that a log says what it hides.
//
// The zero Secret is empty and ready to use. Secrets do not compare with ==;
// use [Secret.Equal].
type Secret struct{ reveal func() string }

// NewSecret returns a Secret that holds s.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{reveal: func() string { return s }}
}

// Reveal returns the value. It belongs on the line that hands the value to
// where it is going and nowhere else; the linter holds that.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether s is empty.
func (s Secret) IsZero() bool { return s.reveal == nil }

// Equal reports whether s and t hold the same value. Its time depends on the
// lengths alone.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(t.Reveal())) == 1
}

// Format writes "[redacted]" for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (Secret) GoString() string { return redacted }

// MarshalText returns "[redacted]". There is no UnmarshalText: configuration
// names the place of a secret and never holds one.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

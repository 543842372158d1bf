package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/google/uuid"

	"github.com/credsync/credsync/internal/credential"
)

// A mint makes values in the shapes of Amazon's, always the same from one seed.
// A serial tells the values of one kind apart, a generation those of one serial.
type mint struct{ seed uint64 }

func (m mint) bytes(kind string, serial, generation, n int) []byte {
	key := sha256.Sum256(fmt.Appendf(nil, "%d/%s/%d/%d", m.seed, kind, serial, generation))
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

func (m mint) uuid(kind string, serial int) uuid.UUID {
	u := uuid.UUID(m.bytes(kind, serial, 0, 16))
	u[6] = u[6]&0x0f | 0x40 // version 4 (RFC 9562 §5.4)
	u[8] = u[8]&0x3f | 0x80
	return u
}

func (m mint) skillID(serial int) credential.SkillID {
	return credential.SkillID("amzn1.ask.skill." + m.uuid("skill", serial).String())
}

func (m mint) requestID(serial int) string { return m.uuid("request", serial).String() }

func (m mint) clientID(kind string, serial int) string {
	return "amzn1.application-oa2-client." + hex.EncodeToString(m.bytes(kind+" client", serial, 0, 16))
}

func (m mint) clientSecret(kind string, serial, generation int) string {
	return "amzn1.oa2-cs.v1." + hex.EncodeToString(m.bytes(kind+" secret", serial, generation, 32))
}

// token returns a token under one of LWA's prefixes: Atza (access), Atzr
// (refresh), Atc (access of a client). Real ones have 350 characters and more.
func (m mint) token(prefix string, serial int) string {
	return prefix + "|" + base64.RawURLEncoding.EncodeToString(m.bytes(prefix, serial, 0, 264))
}

// code returns an authorization code: LWA's have some 18 letters and digits.
func (m mint) code(serial int) string { return "AN" + m.upper("code", serial, 18) }

// upper returns n upper-case letters and digits.
func (m mint) upper(kind string, serial, n int) string {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWX" // 32, so that no letter is likelier
	b := m.bytes(kind, serial, 0, n)
	for i := range b {
		b[i] = alphabet[b[i]%32]
	}
	return string(b)
}

func (m mint) vendor() string { return "M" + m.upper("vendor", 0, 13) }

// seal makes s opaque and impossible to alter. What comes out has to be
// escaped in a query, as a real nextToken has.
func (m mint) seal(s string) string {
	return base64.StdEncoding.EncodeToString(append(m.tag(s), s...))
}

// open returns what was sealed, or false.
func (m mint) open(sealed string) (string, bool) {
	b, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(b) < sha256.Size {
		return "", false
	}
	s := string(b[sha256.Size:])
	return s, hmac.Equal(b[:sha256.Size], m.tag(s))
}

func (m mint) tag(s string) []byte {
	mac := hmac.New(sha256.New, m.bytes("seal", 0, 0, 32))
	mac.Write([]byte(s))
	return mac.Sum(nil)
}

const (
	adjectives = "Amber Brisk Calm Dapper Early Fabled Gentle Hidden Idle Jolly Kindly Lunar Mellow Nimble Open Plain Quiet Rustic Silent Tidal"
	nouns      = "Almanac Bakery Compass Dispatch Echoes Fables Garden Harbor Index Journal Kitchen Lantern Market Notebook Orchard Post Quiz Radio Stories Trivia"
)

// skillName returns a name for a skill; no two serials share one.
func skillName(serial int) string {
	first, second := strings.Fields(adjectives), strings.Fields(nouns)
	n, m := len(first), len(second)
	name := first[serial%n] + " " + second[(serial+serial/n)%m]
	if lap := serial / (n * m); lap > 0 {
		name = fmt.Sprintf("%s %d", name, lap+1)
	}
	return name
}

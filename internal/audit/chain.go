package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"go.uber.org/zap/zapcore"

	"github.com/credsync/credsync/internal/credential"
)

// hashLen is the length of a hash as it is written.
const hashLen = 2 * sha256.Size

// genesis stands for the record before the first.
var genesis = strings.Repeat("0", hashLen)

// A Head names the last record of a chain. Kept where the writer of the file
// has no hand, it shows that records were cut from the end. The zero Head names
// none.
type Head struct {
	Seq  uint64
	Hash string // 64 lower-case hex digits
}

// String returns the head as [ParseHead] reads it, SEQ:HASH, or nothing for the
// zero Head.
func (h Head) String() string {
	if h == (Head{}) {
		return ""
	}
	return strconv.FormatUint(h.Seq, 10) + ":" + h.Hash
}

// ParseHead reads what [Head.String] wrote.
func ParseHead(s string) (Head, error) {
	number, sum, _ := strings.Cut(s, ":")
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil || seq == 0 || !isHash(sum) {
		return Head{}, fmt.Errorf("%q is no head; it is written SEQ:HASH, a number from 1 and %d hex digits", s, hashLen)
	}
	return Head{Seq: seq, Hash: sum}, nil
}

func isHash(s string) bool {
	return len(s) == hashLen && strings.Trim(s, "0123456789abcdef") == ""
}

// A seal makes the hashes of records: SHA-256, keyed if there is a key.
type seal struct {
	hash hash.Hash
	sum  []byte // the last one made, in hex
}

func newSeal(key credential.Secret) *seal {
	if key.IsZero() {
		return &seal{hash: sha256.New()}
	}
	return &seal{hash: hmac.New(sha256.New, []byte(key.Reveal()))} //nolint:forbidigo // a MAC takes its key as it is
}

// of returns the hash of the record that begins as body.
func (s *seal) of(body []byte) []byte {
	s.hash.Reset()
	s.hash.Write(body)
	s.hash.Write([]byte(bodyEnd))
	s.sum = hex.AppendEncode(s.sum[:0], s.hash.Sum(nil))
	return s.sum
}

// A chain makes the lines of one destination.
type chain struct {
	enc  zapcore.Encoder
	seal *seal
	head Head // of the last line made
}

func newChain(key credential.Secret) *chain {
	return &chain{enc: newEncoder(), seal: newSeal(key)}
}

// next appends the line of r, newline included, to buf and moves the head on.
func (c *chain) next(buf []byte, r Record) ([]byte, error) {
	r.Seq, r.Prev, r.Hash = c.head.Seq+1, c.head.Hash, ""
	if r.Prev == "" {
		r.Prev = genesis
	}
	start := len(buf)
	buf, err := object(buf, c.enc, r)
	if err != nil {
		return nil, err
	}
	buf = buf[:len(buf)-len(bodyEnd)]
	c.head = Head{Seq: r.Seq, Hash: string(c.seal.of(buf[start:]))}
	return append(buf, hashMember+c.head.Hash+hashEnd+"\n"...), nil
}

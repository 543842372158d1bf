package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// How a record begins and ends. Quotes are escaped in strings, so none of this
// can stand within a value.
const (
	lineStart  = `{"time":"`
	hashMember = `,"hash":"`
	hashEnd    = `"}`
	bodyEnd    = `}` // what the hash member was written before
	sealLen    = len(hashMember) + hashLen + len(hashEnd)
)

// maxLine bounds what is taken for a line, its newline aside.
const maxLine = 1 << 20

// A link is what ties a record to the one before.
type link struct {
	Seq  uint64 `json:"seq"`
	Prev string `json:"prev"`
}

// splitSeal cuts line, without its newline, into what stands before its hash
// member and the hash. It reports whether the line ends like a record.
func splitSeal(line []byte) (body []byte, sum string, ok bool) {
	cut := len(line) - sealLen
	if cut < 0 {
		return nil, "", false
	}
	body, seal := line[:cut], line[cut:]
	hash, end := seal[len(hashMember):len(seal)-len(hashEnd)], seal[len(seal)-len(hashEnd):]
	if string(seal[:len(hashMember)]) != hashMember || string(end) != hashEnd {
		return nil, "", false
	}
	return body, string(hash), isHash(string(hash))
}

// readLink reads the link of a line that ends like a record.
func readLink(line []byte) (link, bool) {
	var l link
	err := json.Unmarshal(line, &l)
	return l, err == nil && l.Seq > 0 && isHash(l.Prev)
}

// readHead returns the head that line would be. It does not check the hash.
func readHead(line []byte) (Head, bool) {
	_, sum, ok := splitSeal(line)
	if !ok {
		return Head{}, false
	}
	l, ok := readLink(line)
	return Head{Seq: l.Seq, Hash: sum}, ok
}

// isFragment reports whether line can be the beginning of a record whose writer
// was stopped: what an edit leaves behind hardly ever is. Zero bytes at the end
// are what some file systems show of a write that a power cut overtook.
func isFragment(line []byte) bool {
	if len(line) == 0 {
		return false // no writer leaves an empty line
	}
	line = bytes.TrimRight(line, "\x00")
	if len(line) < len(lineStart) {
		return strings.HasPrefix(lineStart, string(line))
	}
	if !bytes.HasPrefix(line, []byte(lineStart)) {
		return false
	}
	if _, seal, ok := bytes.Cut(line, []byte(hashMember)); ok {
		rest := strings.TrimLeft(string(seal), "0123456789abcdef")
		return len(seal)-len(rest) <= hashLen && (rest == "" || rest == `"` && len(seal) == hashLen+1)
	}
	var object json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(line)).Decode(&object), io.ErrUnexpectedEOF)
}

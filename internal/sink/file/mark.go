package file

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

const (
	markFormat = 1
	maxMark    = 4 << 10
	// unknown is the fingerprint of a value that was adopted.
	unknown = "none"
)

// A mark is what the file .NAME.credsync says. The zero mark is none.
type mark struct {
	Format  int                `json:"format"`
	Owner   string             `json:"owner"`
	Skill   credential.SkillID `json:"skill"`
	Current *value             `json:"current,omitempty"`
	Next    *value             `json:"next,omitempty"`
}

// A value is what a mark knows of one content of the file.
type value struct {
	Version     int                    `json:"version"`
	Fingerprint credential.Fingerprint `json:"fingerprint"`
	Key         string                 `json:"key,omitempty"`
	Digest      string                 `json:"digest"`
}

func newMark(o sink.Owner, current, next *value) mark {
	return mark{Format: markFormat, Owner: o.Instance, Skill: o.Skill, Current: current, Next: next}
}

func (m mark) owner() sink.Owner { return sink.Owner{Instance: m.Owner, Skill: m.Skill} }

// latest returns the highest version that m knows, 0 where it knows none.
func (m mark) latest() int {
	switch {
	case m.Next != nil:
		return m.Next.Version
	case m.Current != nil:
		return m.Current.Version
	}
	return 0
}

// encode returns the bytes of the mark's file.
func (m mark) encode() ([]byte, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	if len(b) >= maxMark {
		return nil, fmt.Errorf("%w: the mark would have more than %d bytes", sink.ErrInvalid, maxMark)
	}
	return append(b, '\n'), nil
}

// parseMark returns the mark that b holds. Its error says what is wrong with it.
func parseMark(b []byte) (mark, error) {
	var m mark
	var probe struct{ Format int }
	if err := json.Unmarshal(b, &probe); err != nil {
		return mark{}, errors.New("is damaged")
	}
	if probe.Format != markFormat {
		return mark{}, fmt.Errorf("has the format %d, which this credsync doesn't know", probe.Format)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil || dec.Decode(&struct{}{}) != io.EOF {
		return mark{}, errors.New("is damaged")
	}
	_, err := credential.ParseSkillID(string(m.Skill))
	whole := err == nil && m.Owner != "" && (m.Current != nil || m.Next != nil) && m.Current.whole() && m.Next.whole()
	if !whole || m.Current != nil && m.Next != nil && m.Next.Version <= m.Current.Version {
		return mark{}, errors.New("is damaged")
	}
	return m, nil
}

// whole reports whether v is nil or a value that was written as such.
func (v *value) whole() bool {
	if v == nil {
		return true
	}
	digest, err := hex.DecodeString(v.Digest)
	return err == nil && len(digest) == 32 && v.Version > 0 && (v.Fingerprint == unknown || v.Fingerprint.Valid())
}

// A note is the file of a mark as it was read: what it says, or what is wrong
// with it. The zero note is no such file. Notes are comparable.
type note struct {
	text   string
	damage string
}

// readNote reads the mark's file of name.
func (d *directory) readNote(name string) (note, error) {
	f, info, err := d.openRegular(markOf(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return note{}, nil
	case errors.Is(err, errIrregular):
		return note{damage: "is no regular file"}, nil
	case err != nil:
		return note{}, err
	}
	defer f.Close()
	if info.Size() > maxMark {
		return note{damage: fmt.Sprintf("has more than %d bytes", maxMark)}, nil
	}
	b, err := io.ReadAll(io.LimitReader(f, maxMark))
	if err == nil && len(b) == 0 {
		return note{damage: "is empty"}, nil
	}
	return note{text: string(b)}, err
}

// setMark puts m in the place of the mark of name.
func (d *directory) setMark(name string, m mark) error {
	b, err := m.encode()
	if err != nil {
		return err
	}
	if err := d.create(temporaryMark, b, 0o600, -1); err != nil {
		return err
	}
	return d.root.Rename(temporaryMark, markOf(name))
}

// resetMark puts back what stood before a write that did not happen. Where it
// can't, the mark is left with next in it, which vouches for nothing.
func (d *directory) resetMark(name string, before mark) {
	if before == (mark{}) {
		_ = d.root.Remove(markOf(name))
	} else {
		_ = d.setMark(name, before)
	}
}

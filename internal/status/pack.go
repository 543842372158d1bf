package status

import (
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/syncer"
)

// A text is a string that many cells share. The skill it is about is left out of
// it, so that names and errors that differ in nothing else are one string.
type text struct{ h unique.Handle[string] } // zero = ""

// What stands for the skill in a text.
const (
	skillHole = "\x00"
	uuidHole  = "\x01"
)

var noHoles = strings.NewReplacer(skillHole, "\ufffd", uuidHole, "\ufffd")

// maxText bounds a text; an error that quotes at length says it at its beginning.
const maxText = 1 << 10

// pack makes a text of s, which is about skill.
func pack(s string, skill credential.SkillID) text {
	if s == "" {
		return text{}
	}
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	s = noHoles.Replace(s)
	if skill != "" {
		s = strings.ReplaceAll(s, string(skill), skillHole)
		if uuid, ok := skill.UUID(); ok {
			s = strings.ReplaceAll(s, uuid, uuidHole)
		}
	}
	return text{unique.Make(s)}
}

// of returns the string that t was packed from, about skill.
func (t text) of(skill credential.SkillID) string {
	if t == (text{}) {
		return ""
	}
	s := t.h.Value()
	if strings.Contains(s, uuidHole) {
		uuid, _ := skill.UUID()
		s = strings.ReplaceAll(s, uuidHole, uuid)
	}
	return strings.ReplaceAll(s, skillHole, string(skill))
}

// A stamp is a moment in seconds since 1970; zero = never.
type stamp uint32

func stampOf(t time.Time) stamp { return stamp(min(max(t.Unix(), 0), 1<<32-1)) }

func (s stamp) time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0).UTC()
}

// A reasonCode is the place of a reason in [syncer.Reasons]; 0 = none.
type reasonCode uint8

func reasonOf(r syncer.Reason) reasonCode {
	i := slices.Index(syncer.Reasons, r)
	if i < 0 {
		i = slices.Index(syncer.Reasons, syncer.Internal)
	}
	return reasonCode(i) //nolint:gosec // a handful
}

func (c reasonCode) word() syncer.Reason { return syncer.Reasons[c] }

// A code is the place of an outcome in [syncer.Outcomes], from 1; 0 = none.
type code uint8

func codeOf(o syncer.Outcome) code { return code(slices.Index(syncer.Outcomes, o) + 1) } //nolint:gosec // a handful

func (c code) word() syncer.Outcome {
	if c == 0 || int(c) > len(syncer.Outcomes) {
		return ""
	}
	return syncer.Outcomes[c-1]
}

// good reports whether c is a result of use.
func (c code) good() bool {
	switch c.word() {
	case syncer.Created, syncer.Updated, syncer.Repaired, syncer.Unchanged:
		return true
	}
	return false
}

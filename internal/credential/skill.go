package credential

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A SkillID names an Alexa skill, usually as amzn1.ask.skill.<uuid>. Amazon
// documents it as an opaque string of 1 to 255 characters.
type SkillID string

// maxSkillID is the limit of the Skill Management API's own schema.
const maxSkillID = 255

var usualID = regexp.MustCompile(`^amzn1\.(?:ask\.skill|echo-sdk-ams\.app)\.[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$`)

var uuidTail = regexp.MustCompile(`[0-9A-Za-z]{8}-(?:[0-9A-Za-z]{4}-){3}[0-9A-Za-z]{12}$`)

// ParseSkillID returns s as a SkillID. It accepts 1 to 255 ASCII letters,
// digits, dots, hyphens and underscores that begin with a letter or digit and
// hold no "..": what Amazon issues, and nothing that could mean another place
// in a URL or on a disk.
func ParseSkillID(s string) (SkillID, error) {
	switch {
	case s == "":
		return "", errors.New("skill ID is empty")
	case len(s) > maxSkillID:
		return "", fmt.Errorf("skill ID has %d characters; Amazon's limit is %d", len(s), maxSkillID)
	case strings.Contains(s, ".."):
		return "", fmt.Errorf("skill ID %q holds %q", s, "..")
	}
	for i, r := range s {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		case i > 0 && (r == '.' || r == '-' || r == '_'):
		default:
			return "", fmt.Errorf("skill ID %q holds %q at position %d; letters, digits, '.', '-' and '_' are allowed, and the first is a letter or digit", s, r, i+1)
		}
	}
	return SkillID(s), nil
}

// Usual reports whether id looks like all that Amazon issues: amzn1.ask.skill.
// and a UUID, or amzn1.echo-sdk-ams.app. and a UUID for the oldest skills.
func (id SkillID) Usual() bool { return usualID.MatchString(string(id)) }

// UUID returns the UUID that ends the ID of a skill, in lower case, or false
// where the ID has none.
func (id SkillID) UUID() (string, bool) {
	u := uuidTail.FindString(string(id))
	return strings.ToLower(u), u != ""
}

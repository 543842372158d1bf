// Package credential holds what credsync moves: the identity of a skill, its
// OAuth pair, and the fingerprint that tells two stored values apart without
// showing either.
//
// It is the leaf of the house: it imports the standard library only, and every
// other package may import it.
package credential

// A Credential is the OAuth pair of one skill, as one answer of Amazon gave it.
// The two halves belong together: they are fetched, compared and written as one.
type Credential struct {
	Skill        SkillID
	ClientID     string
	ClientSecret Secret
}

// Equal reports whether c and d are the same pair of the same skill. It takes
// the same time wherever two secrets of one length differ.
func (c Credential) Equal(d Credential) bool {
	return c.Skill == d.Skill && c.ClientID == d.ClientID && c.ClientSecret.Equal(d.ClientSecret)
}

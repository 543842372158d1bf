// Package credential holds what credsync moves: the identity of a skill, its
// OAuth pair, and the fingerprint that tells two stored values apart without
// showing either.
//
// It is the leaf of the house: it imports the standard library only, and every
// other package may import it.
package credential

import "strings"

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

// Fill returns template with {client_id} and {client_secret} replaced, and with
// the placeholders in more, given as name, value, name, value …. All are replaced
// in one pass: a value that looks like a placeholder stays as it is, and so does
// a placeholder that nobody named.
func (c Credential) Fill(template string, more ...string) Secret {
	all := append([]string{"{client_id}", c.ClientID, "{client_secret}", c.ClientSecret.Reveal()}, more...)
	var filled strings.Builder
	for i := strings.IndexByte(template, '{'); i >= 0; i = strings.IndexByte(template, '{') {
		name, value := "{", "{"
		for j := 0; j < len(all); j += 2 {
			if strings.HasPrefix(template[i:], all[j]) {
				name, value = all[j], all[j+1]
			}
		}
		filled.WriteString(template[:i] + value)
		template = template[i+len(name):]
	}
	return NewSecret(filled.String() + template)
}

package emulator

import (
	"cmp"
	"slices"
	"time"

	"github.com/credsync/credsync/internal/credential"
)

// A skill is one skill of the account.
type skill struct {
	serial       int // counts the skills ever made; no two share one
	generation   int // how often its secret was rotated
	rotation     int // which of the account's rotations was its last; 0 = none yet
	id           credential.SkillID
	name         string
	issued       bool // Amazon has issued a pair; before, /credentials answers 404
	clientID     string
	clientSecret string
	updated      time.Time
}

// A catalog is the skills of the account, oldest first.
type catalog struct {
	mint      mint
	all       []*skill
	byID      map[credential.SkillID]*skill
	byClient  map[string]*skill
	made      int
	rotations int
}

func newCatalog(m mint) catalog {
	return catalog{mint: m, byID: make(map[credential.SkillID]*skill), byClient: make(map[string]*skill)}
}

func (c *catalog) add(n int, now time.Time) []credential.SkillID {
	ids := make([]credential.SkillID, 0, max(n, 0))
	for range n {
		s := &skill{
			serial: c.made, id: c.mint.skillID(c.made), name: skillName(c.made), issued: true, updated: now,
			clientID: c.mint.clientID("skill", c.made), clientSecret: c.mint.clientSecret("skill", c.made, 0),
		}
		c.made++
		c.all = append(c.all, s)
		c.byID[s.id], c.byClient[s.clientID] = s, s
		ids = append(ids, s.id)
	}
	return ids
}

func (c *catalog) remove(s *skill) {
	c.all = slices.DeleteFunc(c.all, func(o *skill) bool { return o == s })
	delete(c.byID, s.id)
	c.unlist(s)
}

// unlist forgets the client ID of s, unless another skill bears it by now.
func (c *catalog) unlist(s *skill) {
	if c.byClient[s.clientID] == s {
		delete(c.byClient, s.clientID)
	}
}

func (c *catalog) set(s *skill, clientID, clientSecret string, now time.Time) {
	c.unlist(s)
	s.clientID, s.clientSecret, s.updated = clientID, clientSecret, now
	c.byClient[clientID] = s
}

func (c *catalog) rotate(s *skill, now time.Time) {
	c.rotations++
	s.generation++
	s.rotation = c.rotations
	s.clientSecret = c.mint.clientSecret("skill", s.serial, s.generation)
	s.updated = now
}

// Skills returns the IDs of all skills, oldest first.
func (a *Amazon) Skills() []credential.SkillID {
	a.mu.Lock()
	defer a.mu.Unlock()
	ids := make([]credential.SkillID, 0, len(a.skills.all))
	for _, s := range a.skills.all {
		ids = append(ids, s.id)
	}
	return ids
}

// Add makes n new skills and returns their IDs.
func (a *Amazon) Add(n int) []credential.SkillID {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.skills.add(n, time.Now())
}

// Remove deletes skills, and returns the IDs of those that there were.
func (a *Amazon) Remove(ids ...credential.SkillID) []credential.SkillID {
	return a.each(ids, a.skills.remove)
}

// Pair returns the pair that Amazon has issued for a skill now, or false.
func (a *Amazon) Pair(id credential.SkillID) (credential.Credential, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.skills.byID[id]
	if !ok || !s.issued {
		return credential.Credential{}, false
	}
	return credential.Credential{Skill: id, ClientID: s.clientID, ClientSecret: credential.NewSecret(s.clientSecret)}, true
}

// SetPair gives a skill this pair, whatever it looks like, and issues it. It
// reports whether there is such a skill.
func (a *Amazon) SetPair(id credential.SkillID, clientID, clientSecret string) bool {
	return len(a.each([]credential.SkillID{id}, func(s *skill) {
		a.skills.set(s, clientID, clientSecret, time.Now())
		s.issued = true
	})) == 1
}

// SetIssued says whether Amazon has issued the pairs of these skills. One that
// is not issued is a 404, as for a skill that never got a permission that needs
// a pair. It returns the IDs of those that there are.
func (a *Amazon) SetIssued(issued bool, ids ...credential.SkillID) []credential.SkillID {
	return a.each(ids, func(s *skill) { s.issued = issued })
}

// Rotate gives skills new secrets under their old client IDs, and returns the
// IDs of those that there are.
func (a *Amazon) Rotate(ids ...credential.SkillID) []credential.SkillID {
	now := time.Now()
	return a.each(ids, func(s *skill) { a.skills.rotate(s, now) })
}

// RotateNext rotates the n skills whose last rotation is longest ago, and
// returns their IDs.
func (a *Amazon) RotateNext(n int) []credential.SkillID {
	a.mu.Lock()
	defer a.mu.Unlock()
	next := slices.SortedStableFunc(slices.Values(a.skills.all), func(s, t *skill) int {
		return cmp.Compare(s.rotation, t.rotation)
	})
	next = next[:min(max(n, 0), len(next))]
	ids := make([]credential.SkillID, 0, len(next))
	for _, s := range next {
		a.skills.rotate(s, time.Now())
		ids = append(ids, s.id)
	}
	return ids
}

// each calls do with every skill of ids that there is, and returns their IDs.
func (a *Amazon) each(ids []credential.SkillID, do func(*skill)) []credential.SkillID {
	a.mu.Lock()
	defer a.mu.Unlock()
	found := make([]credential.SkillID, 0, len(ids))
	for _, id := range ids {
		if s, ok := a.skills.byID[id]; ok {
			do(s)
			found = append(found, id)
		}
	}
	return found
}

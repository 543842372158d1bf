package emulator

import (
	"cmp"
	"net/http"
	"time"

	"github.com/credsync/credsync/internal/credential"
)

// skillJSON is a skill as control shows it.
type skillJSON struct {
	Skill        credential.SkillID `json:"skill"`
	Name         string             `json:"name"`
	Issued       bool               `json:"issued"`
	Rotated      int                `json:"rotated"` // how often
	ClientID     string             `json:"client_id"`
	ClientSecret string             `json:"client_secret,omitempty"`
}

// idsJSON answers what changed skills.
type idsJSON struct {
	Skills []credential.SkillID `json:"skills"`
}

func (a *Amazon) controlSkills(*http.Request) (any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]skillJSON, 0, len(a.skills.all))
	for _, s := range a.skills.all {
		list = append(list, skillJSON{Skill: s.id, Name: s.name, Issued: s.issued, Rotated: s.generation, ClientID: s.clientID})
	}
	return map[string][]skillJSON{"skills": list}, nil
}

func (a *Amazon) controlSkill(r *http.Request) (any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.skills.byID[pathSkill(r)]
	if !ok {
		return nil, errNoSuchSkill
	}
	return skillJSON{s.id, s.name, s.issued, s.generation, s.clientID, s.clientSecret}, nil
}

func (a *Amazon) controlAdd(r *http.Request) (any, error) {
	n, err := number(r, "n", 1, maxAdd)
	if err != nil {
		return nil, err
	}
	return idsJSON{a.Add(n)}, nil
}

func (a *Amazon) controlSet(r *http.Request) (any, error) {
	var set struct {
		ClientID     *string `json:"client_id"`
		ClientSecret *string `json:"client_secret"`
		Issued       *bool   `json:"issued"`
	}
	if err := decode(r, &set); err != nil {
		return nil, err
	}
	a.each([]credential.SkillID{pathSkill(r)}, func(s *skill) {
		id, secret := cmp.Or(set.ClientID, &s.clientID), cmp.Or(set.ClientSecret, &s.clientSecret)
		a.skills.set(s, *id, *secret, time.Now())
		s.issued = *cmp.Or(set.Issued, &s.issued)
	})
	return a.controlSkill(r)
}

func (a *Amazon) controlRemove(r *http.Request) (any, error) {
	return changed(a.Remove(pathSkill(r)))
}

func (a *Amazon) controlRotate(r *http.Request) (any, error) {
	if named := r.URL.Query()["skill"]; len(named) > 0 {
		ids := make([]credential.SkillID, 0, len(named))
		for _, id := range named {
			ids = append(ids, credential.SkillID(id))
		}
		return changed(a.Rotate(ids...))
	}
	n, err := number(r, "n", 1, maxAdd)
	if err != nil {
		return nil, err
	}
	return idsJSON{a.RotateNext(n)}, nil
}

func pathSkill(r *http.Request) credential.SkillID {
	return credential.SkillID(r.PathValue("id"))
}

func changed(ids []credential.SkillID) (any, error) {
	if len(ids) == 0 {
		return nil, errNoSuchSkill
	}
	return idsJSON{ids}, nil
}

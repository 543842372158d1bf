package vaultkv

import (
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/sink/sinktest"
)

func TestDuel(t *testing.T) {
	both(t, 2, func(t *testing.T, s *stand) {
		d := sinktest.Duel{Form: s.config.Form(), Peek: s.open(), Stored: s.stored2, Hands: s.hands, BlindToTwins: true}
		for i := range d.Sinks {
			s.proxy = newProxy(t, s.backend)
			s.config.Address = s.URL
			d.Sinks[i], d.Meet[i] = s.open(), s.meets
		}
		sinktest.RunDuel(t, d)
	})
}

// meets makes each request call meet.
func (p *proxy) meets(meet func() bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meet = meet
}

// hands are what root does at name.
func (s *stand) hands(t *testing.T, name string) map[string]func(body string) {
	data, meta := s.mount+"/data/"+name, s.mount+"/metadata/"+name
	write := func(body string) { s.must("POST", data, map[string]any{"data": map[string]string{"by": body}}) }
	custom := func() map[string]any {
		_, answer := s.hand("GET", meta, nil)
		found, _ := answer["data"].(map[string]any)
		pairs, _ := found["custom_metadata"].(map[string]any)
		return pairs
	}
	replace := func(pairs any) { s.must("POST", meta, map[string]any{"custom_metadata": pairs}) }
	exists := func() bool { status, _ := s.hand("GET", meta, nil); return status == 200 }
	return map[string]func(body string){
		"alters":           write,
		"writes our value": func(string) { s.must("POST", data, map[string]any{"data": map[string]string{"client_secret": "a"}}) },
		"deletes": func(string) {
			if exists() && s.stored2(t, name).Exists {
				s.must("DELETE", data, nil)
			}
		},
		"undeletes": func(string) {
			if n := s.stored2(t, name).Versions; n > 0 {
				s.must("POST", s.mount+"/undelete/"+name, map[string]any{"versions": []int{n}})
			}
		},
		"removes": func(string) { s.must("DELETE", meta, nil) },
		"makes one of its own": func(body string) {
			s.must("DELETE", meta, nil)
			write(body)
		},
		"remakes it under our mark": func(body string) {
			pairs := custom()
			if pairs[keyFingerprint] == claimed {
				// A copy of a claim is not believed before our own late
				// confirmation falls on it; whose mark it is, is not in doubt.
				delete(pairs, keyFingerprint)
			}
			s.must("DELETE", meta, nil)
			write(body)
			replace(pairs)
		},
		"wipes the mark": func(string) {
			if exists() {
				replace(map[string]string{"team": "voice"})
			}
		},
		"adopts": func(string) {
			if exists() {
				replace(foreignMark("another"))
			}
		},
		"gives back": func(string) {
			if exists() {
				mark := map[string]string{keyOwner: ours.Instance, keySkill: strings.TrimPrefix(name, "alexa/")}
				s.must("PATCH", meta, map[string]any{"custom_metadata": mark})
			}
		},
		"claims for another": func(string) {
			if !exists() {
				replace(foreignMark("another"))
			}
		},
	}
}

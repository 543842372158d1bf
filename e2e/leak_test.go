package e2e

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// An encounter is a reply that an operation meets.
type encounter struct {
	operation string
	reply     reply
}

// The operations of the four peers. Those of a skill go side by side, each encounter
// at a skill of its own; of the others there is one in a command.
var (
	looking = []string{"credentials", "verify"} // makes the brake refuse what would be written
	writing = []string{"vault-look", "vault-write", "aws-look", "aws-write"}
	alone   = []string{"token", "login", "skills"}
)

// rotatedToken is what a hostile Login with Amazon replaces the refresh token by.
const rotatedToken = "Atzr|CanaryOfTheRotatedRefreshToken0123456789"

// TestNothingSecretIsEverSaid meets each operation with each hostile reply, and
// looks for every secret in all that credsync says and keeps.
func TestNothingSecretIsEverSaid(t *testing.T) {
	replies := slices.Concat(pages(), errorBodies(), falseAnswers(), brokenAnswers(), []reply{
		fillIn("a new refresh token", "200 OK", `{"access_token":"Atza|HostileCanary0123456789","token_type":"bearer","refresh_token":"`+rotatedToken+`"}`),
	})
	s := newStage(t, 24, false)
	s.plant("rotated refresh token", rotatedToken)
	s.matrix(replies, size(24, len(replies)), size(5, len(replies)))
	if n := len(names(replies)); n < 40 || n != len(replies) {
		t.Errorf("%d replies with %d names, want 40 at least", len(replies), n)
	}
}

// TestNoSecretFollowsARedirect meets each operation with redirects from a server
// that is trusted to others that are not asked, whatever they speak.
func TestNoSecretFollowsARedirect(t *testing.T) {
	s := newStage(t, 24, true)
	replies := redirects(s.secure, s.plain)
	s.matrix(replies, size(6, len(replies)), size(2, len(replies)))
	if n := s.trapped.Load(); n != 0 {
		t.Errorf("%d requests followed a redirect", n)
	}
}

// matrix meets every operation with some of the replies: perSkill of them, or
// single where a command takes one alone.
func (s *stage) matrix(replies []reply, perSkill, single int) {
	s.Helper()
	begin, rnd := time.Now(), rand.New(rand.NewPCG(seed(), 9))
	next, encounters := 0, 0
	choose := func(operations []string, n int) (chosen []encounter) {
		for _, operation := range operations {
			if next == 0 || next+n > len(replies) { // every reply before one comes again
				next = 0
				rnd.Shuffle(len(replies), func(i, j int) { replies[i], replies[j] = replies[j], replies[i] })
			}
			for _, p := range replies[next : next+n] {
				chosen = append(chosen, encounter{operation, p})
			}
			next += n
		}
		encounters += len(chosen)
		return chosen
	}
	s.rotate()
	s.wantClean(s.run("sync", "-o", "json"))
	for _, operations := range [][]string{looking, writing} {
		for some := range slices.Chunk(choose(operations, perSkill), len(s.amazon.skills())) {
			s.meet(some, "sync", "-o", []string{"json", "table"}[s.runs/2%2])
		}
	}
	for _, c := range choose(alone, single) {
		args := []string{"sync", "--only", s.amazon.skills()[0]}
		if c.operation == "skills" {
			args = []string{"skills", "--source", "amazon"}
		}
		s.meet([]encounter{c}, args...)
	}
	s.wantClean(s.run("sync", "-o", "json"))
	s.leftovers()
	s.said.wantNothing(s.T)
	if met := len(s.met()); met != encounters {
		s.Errorf("%d of %d encounters were met", met, encounters)
	}
	if s.said.size < 20<<10 {
		s.Errorf("only %d bytes were looked through", s.said.size)
	}
	s.Logf("seed %d: %d replies, %d encounters of %d in %d runs, %s", seed(), len(replies), encounters, len(replies)*(len(looking)+len(writing)+len(alone)), s.runs, time.Since(begin).Round(time.Second))
}

// meet makes runs until each of the encounters is met, of new pairs: a peer that
// only fails is left in peace for a while, so one may not be enough.
func (s *stage) meet(encounters []encounter, args ...string) {
	s.Helper()
	left := slices.Clone(encounters)
	for tries := 0; len(left) > 0 && tries < 3; tries++ {
		s.expose(left, args...)
		met := s.met()
		left = slices.DeleteFunc(left, func(c encounter) bool { return met[c.operation+": "+c.reply.name] })
	}
}

// expose makes one run among the encounters.
func (s *stage) expose(encounters []encounter, args ...string) {
	s.Helper()
	s.rotate()
	skills := s.amazon.skills()
	for i, c := range encounters {
		asked := c.operation + " "
		if !slices.Contains(alone, c.operation) {
			asked += skills[i]
		}
		for _, h := range s.peers {
			h.arm(asked, c.reply)
		}
	}
	r := s.run(args...)
	if r.code < 0 || r.code == 2 || strings.Contains(r.stdout+r.stderr, "panic") || strings.Contains(r.stdout, `"internal"`) {
		s.Errorf("%v: exit code %d\n%s\n%s", args, r.code, tail(r.stdout), tail(r.stderr))
	}
	for _, h := range s.peers {
		h.disarm()
	}
}

// wantClean wants a run in which nobody was hostile to have done its work.
func (s *stage) wantClean(r run) {
	s.Helper()
	if r.code != 0 {
		s.Errorf("exit code %d\n%s\n%s", r.code, tail(r.stdout), tail(r.stderr))
	}
	s.holds(s.vault, s.aws, folder{s.world})
}

// met returns the encounters that were really met.
func (s *stage) met() map[string]bool {
	all := make(map[string]bool)
	for _, h := range s.peers {
		h.mu.Lock()
		maps.Copy(all, h.met)
		h.mu.Unlock()
	}
	return all
}

// names returns the names of replies, each once.
func names(replies []reply) []string {
	var list []string
	for _, p := range replies {
		list = append(list, p.name)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

package memory

import (
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// Stored returns what a reader of name gets, how many versions were made of it,
// and whether there is anything to be read.
func (s *Sink) Stored(name string) (body string, versions int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.secrets[name]
	if !ok {
		return "", 0, false
	}
	if c.version == 0 || c.deleted {
		return "", c.version, false
	}
	return c.body.Reveal(), c.version, true
}

// Tamper replaces the value at name by body and leaves the mark as it is.
func (s *Sink) Tamper(name, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.at(name)
	c.version++
	c.body = credential.NewSecret(body)
}

// Foreign puts body at name under another owner's mark, or under none where
// owner is zero.
func (s *Sink) Foreign(name, body string, owner sink.Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.at(name)
	c.version++
	c.body, c.owner = credential.NewSecret(body), owner
}

// Claim leaves owner's mark at name and no value, as a crash may.
func (s *Sink) Claim(name string, owner sink.Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at(name).owner = owner
}

// SoftDelete hides the value at name; the next Put restores it.
func (s *Sink) SoftDelete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.secrets[name]; ok {
		c.deleted = true
	}
}

// Undelete takes back what SoftDelete did.
func (s *Sink) Undelete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.secrets[name]; ok {
		c.deleted = false
	}
}

// CopyMark puts all that stands beside the value at from beside that at to.
func (s *Sink) CopyMark(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.secrets[from]; ok {
		s.at(to).mark = c.mark
	}
}

// Remake takes away all that is at name and makes another secret there: body,
// under a copy of the mark that stood beside the old one.
func (s *Sink) Remake(name, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.at(name).mark
	delete(s.secrets, name)
	c := s.at(name)
	c.mark, c.body, c.version = old, credential.NewSecret(body), 1
}

// Remove takes away all that is at name.
func (s *Sink) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.secrets, name)
}

// Requests returns how many attempts were made so far.
func (s *Sink) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

package vaultkv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/doctor"
	"github.com/credsync/credsync/internal/sink"
)

// samples is how many secrets are looked at.
const samples = 5

// sampleSkill stands for any skill where rights are asked for.
const sampleSkill credential.SkillID = "amzn1.ask.skill.00000000-0000-4000-8000-000000000000"

// Check takes the steps of [Sink.Examination] as one; see [sink.Checker]. A right
// that a sync needs and the token lacks is an error that wraps [sink.ErrDenied];
// one that it has and should not have is advice.
func (s *Sink) Check(ctx context.Context) ([]string, error) {
	return doctor.Whole(ctx, s.Examination())
}

// A need is what the policy has to grant on a path, and what it shouldn't.
type need struct {
	path    string
	needed  []string
	useful  []string
	surplus []string
	why     string // what is lost without the useful ones
}

func (s *Sink) needs() ([]need, error) {
	name, err := s.template.Render(sink.Subject{Skill: sampleSkill, Label: "check", Instance: s.sampleInstance()})
	if err != nil {
		return nil, fmt.Errorf("path: %w: %w", sink.ErrInvalid, err)
	}
	r := s.client.routes
	prefix := strings.ReplaceAll(s.template.String(), "{instance}", s.sampleInstance())
	prefix, _, _ = strings.Cut(prefix, "{")
	list := need{path: r.folder(prefix[:strings.LastIndex(prefix, "/")+1]), useful: []string{"list"}, why: "orphans can't be reported"}
	if r.version == 1 {
		return []need{{path: r.secret(name), needed: []string{"create", "read", "update"}, surplus: []string{"delete", "sudo"}}, list}, nil
	}
	return []need{
		{path: r.data(name), needed: []string{"update"}, surplus: []string{"create", "read", "delete", "sudo"}},
		{path: r.metadata(name), needed: []string{"create", "read", "patch"}, surplus: []string{"update", "delete", "sudo"}},
		list,
	}, nil
}

func (s *Sink) sampleInstance() string { return cmp.Or(s.instance, "default") }

func (s *Sink) checkRights(ctx context.Context) ([]string, error) {
	needs, err := s.needs()
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(needs))
	for i, n := range needs {
		paths[i] = n.path
	}
	body := encodeJSON(map[string]any{"paths": paths})
	a, err := s.client.call(ctx, request{method: http.MethodPost, path: "sys/capabilities-self", body: body})
	if _, ok := notAllowed(err); ok {
		return []string{"the policy doesn't let the token ask for its own rights (sys/capabilities-self), so they are unchecked"}, nil
	}
	if err != nil {
		return nil, err
	}
	granted, err := decode[map[string][]string](a)
	if err != nil {
		return nil, err
	}
	return compareRights(needs, granted)
}

// compareRights says what is missing and what is too much.
func compareRights(needs []need, granted map[string][]string) (advice []string, err error) {
	var missing []string
	for _, n := range needs {
		has := granted[n.path]
		if slices.Contains(has, "root") {
			return []string{"the token is a root token; give credsync one with the policy that `credsync policy` prints"}, nil
		}
		if lacking := pick(n.needed, has, false); lacking != "" {
			missing = append(missing, lacking+" on "+n.path)
		}
		if lacking := pick(n.useful, has, false); lacking != "" {
			advice = append(advice, fmt.Sprintf("the policy lacks %s on %s: %s", lacking, n.path, n.why))
		}
		if extra := pick(n.surplus, has, true); extra != "" {
			advice = append(advice, fmt.Sprintf("the policy grants %s on %s, which credsync never needs", extra, n.path))
		}
	}
	if len(missing) > 0 {
		err = &failure{operation: opCapabilities, problem: "the policy lacks " + strings.Join(missing, " and "), class: sink.ErrDenied}
	}
	return advice, err
}

// pick lists those of rights that has holds, or those that it doesn't.
func pick(rights, has []string, held bool) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(rights), func(right string) bool {
		return slices.Contains(has, right) != held
	}), ", ")
}

// checkExpiry advises where Vault is going to delete what stands there now, as a
// delete_version_after of the mount or of the secret orders when a version is
// born. It looks at a few secrets only.
func (s *Sink) checkExpiry(ctx context.Context) ([]string, error) {
	k, ok := s.engine.(*kv2)
	if !ok {
		return nil, nil
	}
	names, err := s.rendered(ctx, s.sampleInstance(), func(string) bool { return false })
	switch {
	case errors.Is(err, sink.ErrDenied):
		return nil, nil // that the list is missing was said before
	case err != nil:
		return nil, err
	}
	for _, name := range names[:min(len(names), samples)] {
		m, err := k.read(ctx, name)
		if err != nil && !errors.Is(err, errAbsent) {
			return nil, err
		}
		if at, ok := m.expires(); ok {
			return []string{fmt.Sprintf("Vault is going to delete the current version of %s at %s (delete_version_after); the next run after that writes it anew", name, at.Format(time.RFC3339))}, nil
		}
	}
	return nil, nil
}

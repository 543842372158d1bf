package vaultkv

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/credsync/credsync/internal/sink"
)

// inspections is how many names are looked at together.
const inspections = 8

// Orphans lists the folders that the template leads into, and inspects the names
// there that are not known. Where every name is known that costs one request per
// folder, which is one for a template like alexa/{skill_id}.
// See [sink.Orphaner].
func (s *Sink) Orphans(ctx context.Context, instance string, known func(string) bool) (map[string]sink.State, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	names, err := s.rendered(ctx, instance, known)
	if err != nil {
		return nil, err
	}
	return s.owned(ctx, instance, names)
}

// rendered returns the names below the mount that the template renders for
// instance, but for those that are known.
func (s *Sink) rendered(ctx context.Context, instance string, known func(string) bool) ([]string, error) {
	text := strings.ReplaceAll(s.template.String(), "{instance}", instance)
	matcher := s.template.Matcher(instance)
	return s.walk(ctx, "", strings.Split(text, "/"), func(name string) bool { return !known(name) && matcher.MatchString(name) })
}

// walk returns the names below dir that are wanted and whose further segments
// are of the shapes that rest gives. Segments without a placeholder are not
// listed but taken as they are, so a name may come back that isn't there.
func (s *Sink) walk(ctx context.Context, dir string, rest []string, wanted func(string) bool) ([]string, error) {
	for len(rest) > 0 && !strings.Contains(rest[0], "{") {
		dir, rest = dir+rest[0]+"/", rest[1:]
	}
	if len(rest) == 0 {
		return slices.DeleteFunc([]string{strings.TrimSuffix(dir, "/")}, func(n string) bool { return !wanted(n) }), nil
	}
	keys, err := s.list(ctx, dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, key := range keys {
		segment, folder := strings.CutSuffix(key, "/")
		switch leaf := len(rest) == 1; {
		case folder == leaf || !fits(segment, rest[0]):
		case leaf && wanted(dir+segment):
			names = append(names, dir+segment)
		case leaf:
			// known, or not of our making
		default:
			below, err := s.walk(ctx, dir+key, rest[1:], wanted)
			if err != nil {
				return nil, err
			}
			names = append(names, below...)
		}
	}
	return names, nil
}

// fits reports whether segment begins and ends as shape does around its
// placeholders.
func fits(segment, shape string) bool {
	return strings.HasPrefix(segment, shape[:strings.Index(shape, "{")]) &&
		strings.HasSuffix(segment, shape[strings.LastIndex(shape, "}")+1:])
}

func (s *Sink) list(ctx context.Context, dir string) ([]string, error) {
	a, err := s.client.call(ctx, request{method: http.MethodGet, path: s.client.routes.folder(dir), list: true})
	if errors.Is(err, errAbsent) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := decode[struct {
		Keys *[]string `json:"keys"`
	}](a)
	if err == nil && data.Keys == nil {
		err = misunderstood(a)
	}
	if err != nil {
		return nil, err
	}
	return *data.Keys, nil
}

// owned returns the states of those names that bear the mark of instance.
func (s *Sink) owned(ctx context.Context, instance string, names []string) (map[string]sink.State, error) {
	var mu sync.Mutex
	found := make(map[string]sink.State)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(inspections)
	for _, name := range names {
		g.Go(func() error {
			state, err := s.Inspect(ctx, name)
			if err == nil && state.Owner.Instance == instance {
				mu.Lock()
				found[name] = state
				mu.Unlock()
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return found, nil
}

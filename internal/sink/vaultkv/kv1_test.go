package vaultkv

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/sinktest"
)

func TestVersion1(t *testing.T) {
	t.Run("the mark stands among the fields", func(t *testing.T) {
		both(t, 1, func(t *testing.T, s *stand) {
			put := s.put(s.open(), "a")
			got := s.must("GET", s.mount+"/"+name, nil)["data"].(map[string]any)
			delete(got, keyDigest)
			want := map[string]any{
				"client_secret": "a", "credsync_owner": "prod", "credsync_skill": string(skill), "credsync_version": "1",
				"credsync_key": "v1-public", "credsync_fingerprint": string(put.Fingerprint),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	})
	t.Run("to adopt changes no field of others", func(t *testing.T) {
		both(t, 1, func(t *testing.T, s *stand) {
			s.must("PUT", s.mount+"/"+name, rawJSON(`{"big":12345678901234567890,"deep":{"a":[1.50,null,"<&>"]},"text":"\u2028"}`))
			before := s.stored1(t, name).Body
			k := s.open()
			prev := s.inspect(k)
			got, err := k.Adopt(t.Context(), name, ours, prev)
			if err != nil || got != s.inspect(k) || got.Owner != ours || got.Fingerprint != "" {
				t.Errorf("got %+v, %v", got, err)
			}
			if diff := cmp.Diff(before, s.stored1(t, name).Body); diff != "" {
				t.Errorf("fields (-before +after):\n%s", diff)
			}
		})
	})
	t.Run("an unchanged secret costs one request, an update three", func(t *testing.T) {
		both(t, 1, func(t *testing.T, s *stand) {
			k := s.open()
			s.put(k, "a")
			if got := s.asked(func() { s.inspect(k) }); len(got) != 1 {
				t.Errorf("unchanged: got %q", got)
			}
			if got := strings.Join(s.asked(func() { s.put(k, "b") }), ", "); strings.Count(got, "GET") != 2 || strings.Count(got, "PUT") != 1 {
				t.Errorf("update: got %s", got)
			}
		})
	})
	t.Run("a write that fails is not sent again", func(t *testing.T) {
		both(t, 1, func(t *testing.T, s *stand) {
			k := s.open()
			s.put(k, "a")
			prev := s.inspect(k)
			s.fail(t, sinktest.Failure{Kind: sinktest.Unavailable, Times: -1, WritesOnly: true})
			sent := s.asked(func() {
				if _, err := k.Put(t.Context(), name, s.record("b"), prev); !errors.Is(err, sink.ErrUnavailable) {
					t.Errorf("got error %v", err)
				}
			})
			if got := strings.Count(strings.Join(sent, ", "), "PUT"); got != 1 {
				t.Errorf("got %q, want one PUT: between two, somebody else may have written", sent)
			}
		})
	})
	t.Run("a field named like a mark is refused", func(t *testing.T) {
		s := fakeStand(t, 1)
		r := s.record("a")
		r.Body = credential.NewSecret(`{"credsync_owner":"staging"}`)
		if _, err := s.open().Put(t.Context(), name, r, sink.State{}); !errors.Is(err, sink.ErrInvalid) {
			t.Errorf("got error %v, want %v", err, sink.ErrInvalid)
		}
	})
}

// rawJSON is sent as it is.
type rawJSON string

func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

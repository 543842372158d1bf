package vaultkv

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/sink"
)

// refusesWrite wants the first write to be refused with a text that holds hint,
// and nothing written.
func refusesWrite(t *testing.T, s *stand, hint string) {
	t.Helper()
	_, err := s.open().Put(t.Context(), name, s.record("a"), sink.State{})
	if !errors.Is(err, sink.ErrInvalid) || !strings.Contains(err.Error(), hint) {
		t.Errorf("got error %v, want %v with %q", err, sink.ErrInvalid, hint)
	}
	for _, r := range s.since(0) {
		if !strings.HasPrefix(r, "GET ") {
			t.Errorf("there was a %s", r)
		}
	}
}

func TestMountIsProven(t *testing.T) {
	t.Run("version 2 on a mount of version 1 is refused", func(t *testing.T) {
		both(t, 1, func(t *testing.T, s *stand) {
			s.config.Version = 2
			refusesWrite(t, s, "KV version 1; set version")
		})
	})
	t.Run("version 1 on a mount of version 2 is refused", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			s.config.Version = 1
			refusesWrite(t, s, "KV version 2; set version")
		})
	})
	t.Run("a namespace that the server ignores is refused", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			s.config.Namespace = "team/voice"
			refusesWrite(t, s, "remove namespace")
		})
	})
	t.Run("a path below a mount is no mount", func(t *testing.T) {
		s := vaultStand(t, 2)
		s.config.Auth.Token = s.file(s.root)
		s.config.Mount = s.mount + "/deeper"
		refusesWrite(t, s, "put the rest before path")
	})
	t.Run("without a mount of that name the error says so", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			s.config.Mount = "nowhere"
			_, err := s.open().Put(t.Context(), name, s.record("a"), sink.State{})
			if !errors.Is(err, sink.ErrDenied) || !strings.Contains(err.Error(), "no mount of that name") {
				t.Errorf("Put: got error %v", err)
			}
			s.config.Auth.Token = s.file(s.root)
			state, err := s.open().Inspect(t.Context(), name)
			if !errors.Is(err, sink.ErrInvalid) || !strings.Contains(err.Error(), "set mount") || state != (sink.State{}) {
				t.Errorf("Inspect: got %+v, %v", state, err)
			}
		})
	})
	t.Run("a namespace that the server knows is proven, and named in each request", func(t *testing.T) {
		backend := newFake(2)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Vault-Namespace") != "team/voice" {
				refuse(w, 404, "no handler for route")
				return
			}
			backend.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		s := (&stand{t: t, mount: "secret", version: 2, backend: server.URL}).behindProxy(plainToken)
		s.config.Namespace = "team/voice/"
		s.put(s.open(), "a")
		if got := strings.Count(strings.Join(s.since(0), "\n"), "/sys/"); got != 2 {
			t.Errorf("got %d requests below sys/, want 2", got)
		}
	})
	t.Run("it is proven once", func(t *testing.T) {
		s := fakeStand(t, 2)
		k := s.open()
		s.put(k, "a")
		s.put(k, "b")
		if got := strings.Count(strings.Join(s.since(0), "\n"), "/sys/"); got != 1 {
			t.Errorf("got %d requests below sys/, want 1", got)
		}
	})
}

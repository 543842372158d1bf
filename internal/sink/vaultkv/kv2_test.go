package vaultkv

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

const (
	skill = credential.SkillID("amzn1.ask.skill.00000000-0000-4000-8000-000000000001")
	name  = "alexa/" + string(skill)
)

var ours = sink.Owner{Instance: "prod", Skill: skill}

// both runs test on the fake and on a real Vault.
func both(t *testing.T, version int, test func(t *testing.T, s *stand)) {
	t.Run("fake", func(t *testing.T) { test(t, fakeStand(t, version)) })
	t.Run("Vault", func(t *testing.T) { test(t, vaultStand(t, version)) })
}

func (s *stand) record(secret string) sink.Record {
	s.t.Helper()
	r, err := s.config.Form().Record(credential.FingerprintKey{}, ours, name, []sink.Field{{Name: "client_secret", Value: credential.NewSecret(secret)}})
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *stand) inspect(k *Sink) sink.State {
	s.t.Helper()
	state, err := k.Inspect(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return state
}

func (s *stand) put(k *Sink, secret string) sink.State {
	s.t.Helper()
	state, err := k.Put(s.t.Context(), name, s.record(secret), s.inspect(k))
	if err != nil {
		s.t.Fatal(err)
	}
	return state
}

// asked returns what do made the sink ask, with the mount and the name cut out.
func (s *stand) asked(do func()) []string {
	s.t.Helper()
	before := s.count()
	do()
	asked := s.since(before)
	for i := range asked {
		asked[i] = strings.NewReplacer("/v1/"+s.mount+"/", "", "/v1/", "", "/"+name, "", s.mount, "MOUNT").Replace(asked[i])
	}
	return asked
}

func TestBudgets(t *testing.T) {
	both(t, 2, func(t *testing.T, s *stand) {
		k := s.open()
		want := func(what string, do func(), requests ...string) {
			t.Helper()
			if diff := cmp.Diff(requests, s.asked(do)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		want("the first write of a process", func() { s.put(k, "a") },
			"GET metadata", "GET sys/internal/ui/mounts/MOUNT", "POST metadata", "POST data", "PATCH metadata")
		want("unchanged", func() { s.inspect(k) }, "GET metadata")
		want("an update", func() { s.put(k, "b") }, "GET metadata", "POST data", "PATCH metadata")
		s.write2(name)
		want("a repair", func() { s.put(k, "b") }, "GET metadata", "PATCH metadata", "POST data", "PATCH metadata")
		s.must("DELETE", s.mount+"/metadata/"+name, nil)
		want("a create", func() { s.put(k, "b") }, "GET metadata", "POST metadata", "POST data", "PATCH metadata")
	})
}

func TestWhatStandsThere(t *testing.T) {
	t.Run("metadata that others replaced read as foreign", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			k := s.open()
			prev := s.put(k, "a")
			s.must("POST", s.mount+"/metadata/"+name, map[string]any{"custom_metadata": map[string]string{"team": "voice"}})
			got := s.inspect(k)
			if !got.Exists || !got.Owner.IsZero() || got.Fingerprint != "" {
				t.Errorf("got %+v, want what exists and is nobody's", got)
			}
			_, err := k.Put(t.Context(), name, s.record("b"), prev)
			if !errors.Is(err, sink.ErrConflict) || !strings.Contains(err.Error(), "our mark is gone") {
				t.Errorf("Put: got error %v, want a conflict over the mark", err)
			}
			if s.inspect(k).Owner != (sink.Owner{}) {
				t.Error("the mark came back")
			}
		})
	})
	t.Run("a secret made anew with our map copied is ours and not current", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			k := s.open()
			s.put(k, "a")
			data := s.must("GET", s.mount+"/metadata/"+name, nil)["data"].(map[string]any)
			s.must("DELETE", s.mount+"/metadata/"+name, nil)
			s.write2(name)
			s.must("POST", s.mount+"/metadata/"+name, map[string]any{"custom_metadata": data["custom_metadata"]})
			if got := s.inspect(k); got.Owner != ours || got.Version != "1" || got.Fingerprint != "" {
				t.Errorf("got %+v, want ours, version 1, altered", got)
			}
		})
	})
	t.Run("metadata of others without a version are foreign", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			k := s.open()
			s.must("POST", s.mount+"/metadata/"+name, map[string]any{"custom_metadata": map[string]string{"team": "voice"}})
			got := s.inspect(k)
			if !got.Exists || !got.Owner.IsZero() || got.Version != "" {
				t.Errorf("got %+v, want what exists and has neither owner nor version", got)
			}
			for _, prev := range []sink.State{{}, got} {
				if _, err := k.Put(t.Context(), name, s.record("a"), prev); !errors.Is(err, sink.ErrForeign) && !errors.Is(err, sink.ErrConflict) {
					t.Errorf("Put: got error %v", err)
				}
			}
			adopted, err := k.Adopt(t.Context(), name, ours, got)
			if err != nil || adopted != s.inspect(k) {
				t.Errorf("Adopt: got %+v, %v", adopted, err)
			}
		})
	})
	t.Run("a secret that went while it kept us from claiming is made", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			k := s.open()
			s.write2(name)
			goes := sync.OnceFunc(func() { s.must("DELETE", s.mount+"/metadata/"+name, nil) })
			s.mu.Lock()
			s.meet = func() bool {
				if last := s.since(s.count() - 1)[0]; last == "GET /v1/"+s.mount+"/metadata/"+name {
					goes()
				}
				return true
			}
			s.mu.Unlock()
			got, err := k.Put(t.Context(), name, s.record("a"), sink.State{})
			if err != nil || got != s.inspect(k) || got.Version != "1" {
				t.Errorf("got %+v, %v, want version 1 of ours", got, err)
			}
		})
	})
	t.Run("undeleted is current again, destroyed is not", func(t *testing.T) {
		s := vaultStand(t, 2)
		k := s.open()
		before := s.put(k, "a")
		s.must("DELETE", s.mount+"/data/"+name, nil)
		s.must("POST", s.mount+"/undelete/"+name, map[string]any{"versions": []int{1}})
		if got := s.inspect(k); got != before {
			t.Errorf("undeleted: got %+v, want %+v", got, before)
		}
		s.must("PUT", s.mount+"/destroy/"+name, map[string]any{"versions": []int{1}})
		if got := s.inspect(k); !got.Deleted || got.Fingerprint != "" || got.Owner != ours {
			t.Errorf("destroyed: got %+v, want ours and deleted", got)
		}
		if got := s.put(k, "a"); got != s.inspect(k) || got.Version != "2" {
			t.Errorf("put: got %+v", got)
		}
	})
	t.Run("a deletion to come is none yet", func(t *testing.T) {
		s := vaultStand(t, 2)
		s.must("POST", s.mount+"/config", map[string]string{"delete_version_after": "1h"})
		k := s.open()
		if put := s.put(k, "a"); put.Deleted || put != s.inspect(k) {
			t.Errorf("got %+v, want it as put", put)
		}
	})
}

// A token that may update metadata makes a claim that Vault can't refuse.
func TestClaimWithRoot(t *testing.T) {
	asRoot := func(s *stand) *Sink {
		s.config.Auth.Token = s.file(s.root)
		return s.open()
	}
	t.Run("a secret born while we claimed is let go", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			k := asRoot(s)
			s.write2(name)
			before := s.stored2(t, name)
			if _, err := k.Put(t.Context(), name, s.record("a"), sink.State{}); !errors.Is(err, sink.ErrConflict) {
				t.Errorf("got error %v, want %v", err, sink.ErrConflict)
			}
			if diff := cmp.Diff(before, s.stored2(t, name)); diff != "" {
				t.Errorf("the value (-before +after):\n%s", diff)
			}
			data := s.must("GET", s.mount+"/metadata/"+name, nil)["data"].(map[string]any)
			if custom, _ := data["custom_metadata"].(map[string]any); len(custom) != 0 {
				t.Errorf("our pairs are still there: %v", custom)
			}
		})
	})
	t.Run("a claim left on such a secret is not believed", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			s.write2(name)
			s.claim(t, name, ours)
			if got := s.inspect(s.open()); !got.Exists || !got.Owner.IsZero() {
				t.Errorf("got %+v, want what exists and is nobody's", got)
			}
		})
	})
	t.Run("a crash between write and confirmation leaves what is ours and altered", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			k := asRoot(s)
			s.claim(t, name, ours)
			s.write2(name)
			if got := s.inspect(k); got.Owner != ours || got.Fingerprint != "" {
				t.Errorf("got %+v, want ours and altered", got)
			}
			if got := s.put(k, "a"); got.Version != "2" || got.Fingerprint == "" {
				t.Errorf("got %+v, want version 2, current", got)
			}
		})
	})
}

// Somebody deletes the secret and makes one of his own after we wrote and before
// we confirm.
func TestLateConfirmationClaimsNothing(t *testing.T) {
	backend := newFake(2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			backend.mu.Lock()
			backend.secrets[name] = &fakeSecret{created: "x", custom: map[string]string{"team": "voice"}, versions: []*fakeVersion{{Created: "x"}}}
			backend.mu.Unlock()
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s := (&stand{t: t, mount: "secret", version: 2, backend: server.URL}).behindProxy(plainToken)
	k := s.open()
	_, _ = k.Put(t.Context(), name, s.record("a"), sink.State{})
	if got := s.inspect(k); !got.Exists || !got.Owner.IsZero() || got.Fingerprint != "" {
		t.Errorf("got %+v, want what exists and is nobody's", got)
	}
}

// Somebody deletes the secret and makes another with our map copied after we
// looked: its version 1 passes for the one that we saw, for check-and-set. The
// next look does not believe what that write left.
func TestWhatPassedForTheVersionWeSawIsRepaired(t *testing.T) {
	both(t, 2, func(t *testing.T, s *stand) {
		k := s.open()
		prev := s.put(k, "a")
		custom := s.must("GET", s.mount+"/metadata/"+name, nil)["data"].(map[string]any)["custom_metadata"]
		s.must("DELETE", s.mount+"/metadata/"+name, nil)
		s.write2(name)
		s.must("POST", s.mount+"/metadata/"+name, map[string]any{"custom_metadata": custom})
		if _, err := k.Put(t.Context(), name, s.record("b"), prev); err != nil {
			t.Fatal(err)
		}
		if got := s.inspect(k); got.Owner != ours || got.Version != "2" || got.Fingerprint != "" {
			t.Errorf("got %+v, want ours, version 2, altered", got)
		}
		s.put(k, "b")
		if got, want := s.inspect(k), s.record("b").Fingerprint; got.Version != "3" || got.Fingerprint != want {
			t.Errorf("got %+v, want what was put, in one version more", got)
		}
	})
}

func TestNoVersionWithoutPatch(t *testing.T) {
	s := vaultStand(t, 2)
	s.put(s.open(), "a")
	s.write2(name)
	s.config.Auth.Token = s.file(s.grant(`path "MOUNT/data/alexa/*" { capabilities = ["create", "update"] }
		path "MOUNT/metadata/alexa/*" { capabilities = ["create", "read"] }`))
	k := s.open()
	for range 3 {
		if _, err := k.Put(t.Context(), name, s.record("a"), s.inspect(k)); !errors.Is(err, sink.ErrDenied) {
			t.Errorf("got error %v, want %v", err, sink.ErrDenied)
		}
	}
	if got := s.inspect(k).Version; got != "2" {
		t.Errorf("got version %s, want the 2 of before", got)
	}
}

func TestAdoptNeedsPatchOnly(t *testing.T) {
	s := vaultStand(t, 2)
	s.write2(name)
	s.config.Auth.Token = s.file(s.grant(`path "MOUNT/metadata/alexa/*" { capabilities = ["read", "patch"] }`))
	k := s.open()
	if got, err := k.Adopt(t.Context(), name, ours, s.inspect(k)); err != nil || got != s.inspect(k) {
		t.Errorf("got %+v, %v", got, err)
	}
}

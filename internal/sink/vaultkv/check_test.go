package vaultkv

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
)

func TestCheck(t *testing.T) {
	// advises wants each piece of advice to hold its text, in order.
	advises := func(t *testing.T, s *stand, texts ...string) error {
		t.Helper()
		advice, err := s.open().Check(t.Context())
		if len(advice) != len(texts) {
			t.Fatalf("got advice %q and error %v, want %d pieces", advice, err, len(texts))
		}
		for i, text := range texts {
			if !strings.Contains(advice[i], text) {
				t.Errorf("got advice %q, want %q in it", advice[i], text)
			}
		}
		return err
	}
	t.Run("the least rights are enough and not too much", func(t *testing.T) {
		for _, version := range []int{1, 2} {
			both(t, version, func(t *testing.T, s *stand) {
				if err := advises(t, s); err != nil {
					t.Error(err)
				}
			})
		}
	})
	t.Run("root is too much", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			s.config.Auth.Token = s.file(s.root)
			if err := advises(t, s, "the policy that `credsync policy` prints"); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("what is too much and what is missing is named", func(t *testing.T) {
		s := vaultStand(t, 2)
		s.config.Auth.Token = s.file(s.grant(`path "MOUNT/data/alexa/*" { capabilities = ["create", "update", "read"] }
			path "MOUNT/metadata/alexa/*" { capabilities = ["create", "read", "update", "delete"] }
			path "sys/capabilities-self" { capabilities = ["update"] }`))
		err := advises(t, s, "grants create, read on "+s.mount+"/data/", "grants update, delete on", "lacks list on "+s.mount+"/metadata/alexa/: orphans")
		if !errors.Is(err, sink.ErrDenied) || !strings.Contains(err.Error(), "lacks patch on "+s.mount+"/metadata/alexa/amzn1") {
			t.Errorf("got error %v", err)
		}
	})
	t.Run("clocks apart are told", func(t *testing.T) {
		backend := newFake(2)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", "Mon, 02 Jan 2006 15:04:05 GMT")
			backend.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		s := &stand{t: t, mount: "secret", version: 2, backend: server.URL}
		if err := advises(t, s.behindProxy(plainToken), "clocks"); err != nil {
			t.Error(err)
		}
	})
	t.Run("http off this host is told", func(t *testing.T) {
		s := &stand{t: t}
		s.config = Config{Address: "http://0.0.0.0:1", Path: "alexa/{skill_id}", Auth: Auth{Token: s.file("t")}}
		if err := advises(t, s, "use https://"); !errors.Is(err, sink.ErrUnavailable) {
			t.Errorf("got error %v, want %v", err, sink.ErrUnavailable)
		}
		for host, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true, "10.0.0.1": false, "vault": false} {
			if wire.Loopback(host) != want {
				t.Errorf("%s: got %v", host, !want)
			}
		}
	})
	t.Run("a deletion to come is told", func(t *testing.T) {
		s := vaultStand(t, 2)
		s.must("POST", s.mount+"/config", map[string]string{"delete_version_after": "1h"})
		s.put(s.open(), "a")
		if err := advises(t, s, "going to delete the current version of "+name); err != nil {
			t.Error(err)
		}
	})
	t.Run("a refused login is an error", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			s.config.Auth.Token = s.file("nobody")
			if err := advises(t, s); !errors.Is(err, sink.ErrDenied) {
				t.Errorf("got error %v, want %v", err, sink.ErrDenied)
			}
		})
	})
}

func TestOrphansByTemplate(t *testing.T) {
	for _, tt := range []struct {
		template string
		present  []string // as secrets of prod
		want     []string // orphans, where the first is known
		requests []string
	}{
		{
			"alexa/{skill_id}",
			[]string{"alexa/a", "alexa/b", "alexa/c/d", "other/e"},
			[]string{"alexa/b"},
			[]string{"GET metadata/alexa/", "GET metadata/alexa/b"},
		},
		{
			"alexa/{skill_id}",
			[]string{"alexa/a"},
			nil,
			[]string{"GET metadata/alexa/"},
		},
		{
			"alexa/{skill_id}/oauth/pair",
			[]string{"alexa/a/oauth/pair", "alexa/b/oauth/pair", "alexa/b/other", "alexa/c"},
			[]string{"alexa/b/oauth/pair"},
			[]string{"GET metadata/alexa/", "GET metadata/alexa/b/oauth/pair"},
		},
		{
			"{instance}/{label}/x-{skill_id}.json",
			[]string{"prod/one/x-a.json", "prod/one/x-b.json", "prod/one/y-c.json", "prod/two/x-d.json", "staging/one/x-e.json", "prod/f"},
			[]string{"prod/one/x-b.json", "prod/two/x-d.json"},
			[]string{"GET metadata/prod/", "GET metadata/prod/one/", "GET metadata/prod/one/x-b.json", "GET metadata/prod/two/", "GET metadata/prod/two/x-d.json"},
		},
		{"{skill_id}", []string{"a", "b", "c/d"}, []string{"b"}, []string{"GET metadata/", "GET metadata/b"}},
	} {
		t.Run(tt.template, func(t *testing.T) {
			s := fakeStand(t, 2)
			s.config.Path = tt.template
			for _, n := range tt.present {
				s.write2(n)
				s.must("POST", s.mount+"/metadata/"+n, map[string]any{"custom_metadata": adoptMark(ours)})
			}
			k := s.open()
			var got []string
			asked := s.asked(func() {
				orphans, err := k.Orphans(t.Context(), "prod", func(name string) bool { return name == tt.present[0] })
				if err != nil {
					t.Fatal(err)
				}
				for n := range orphans {
					got = append(got, n)
				}
			})
			slices.Sort(got)
			slices.Sort(asked)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("orphans (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.requests, asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever an answer holds, no value is called current that isn't ours.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"data":{"created_time":"a","current_version":1,"custom_metadata":{"credsync_owner":"prod","credsync_skill":"a","credsync_version":"1","credsync_created":"b","credsync_fingerprint":"` + strings.Repeat("0", 64) + `"},"versions":{"1":{"created_time":"b"}}}}`))
	f.Add([]byte(`{"data":{"created_time":"a","current_version":0,"versions":null}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := decode[metadata](answer{body: body})
		if err != nil || !m.sound() {
			return
		}
		if s := m.state(); s.Fingerprint != "" && (s.Owner.IsZero() || !s.Exists || s.Deleted || s.Version == "") {
			t.Errorf("got %+v", s)
		}
	})
}

package vaultkv

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/doctor"
)

// examined returns for each step "ok", the error, or what it waits for.
func (s *stand) examined(t *testing.T) map[string]string {
	t.Helper()
	got := make(map[string]string)
	for _, f := range doctor.Examine(t.Context(), s.open().Examination(), time.Minute) {
		switch {
		case f.After != "":
			got[f.Name] = "after " + f.After
		case f.Err != nil:
			got[f.Name] = f.Err.Error()
		default:
			got[f.Name] = "ok"
		}
	}
	return got
}

func TestExamination(t *testing.T) {
	t.Run("all is well", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			want := map[string]string{"way to Vault": "ok", "clock": "ok", "login": "ok", "mount": "ok", "policy": "ok", "life of what is stored": "ok"}
			if diff := cmp.Diff(want, s.examined(t)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	})
	t.Run("a mount that is not there", func(t *testing.T) {
		s := vaultStand(t, 2)
		s.config.Mount = "elsewhere"
		got := s.examined(t)
		if got["login"] != "ok" || !strings.Contains(got["mount"], "no mount of that name") || got["policy"] != "after mount" {
			t.Errorf("got %q", got)
		}
	})
	for name, tt := range map[string]struct {
		status     int
		body, want string
	}{
		"sealed":          {200, `{"initialized":true,"sealed":true}`, "operator unseal"},
		"not initialized": {200, `{"initialized":false,"sealed":true}`, "operator init"},
		"another service": {200, `<html>`, "what answers there is not Vault"},
		"down":            {503, ``, "503"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = fmt.Fprint(w, tt.body)
			}))
			t.Cleanup(server.Close)
			s := &stand{t: t, mount: "secret", version: 2, backend: server.URL}
			got := s.behindProxy(plainToken).examined(t)
			if !strings.Contains(got["way to Vault"], tt.want) || got["login"] != "after way to Vault" || got["policy"] != "after way to Vault" {
				t.Errorf("got %q", got)
			}
		})
	}
}

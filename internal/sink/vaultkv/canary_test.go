package vaultkv

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/credsync/credsync/internal/doctor"
	"github.com/credsync/credsync/internal/sink"
)

// Whatever a server gives back, and whichever operation it was asked for, no
// error and no advice shows a secret: neither what was sent, nor the token that
// the server gave out before.
func TestNoOperationShowsASecret(t *testing.T) {
	replies := map[string]func(http.ResponseWriter, string){
		"errors 400": func(w http.ResponseWriter, echo string) { refuse(w, 400, "check", echo) },
		"errors 403": func(w http.ResponseWriter, echo string) { refuse(w, 403, "permission denied", echo) },
		"errors 404": func(w http.ResponseWriter, echo string) { refuse(w, 404, echo) },
		"redirect": func(w http.ResponseWriter, echo string) {
			w.Header().Set("Location", "http://127.0.0.1:1/?"+strings.ReplaceAll(echo, "\n", " "))
			w.WriteHeader(307)
		},
		"HTML": func(w http.ResponseWriter, echo string) { fmt.Fprint(w, "<html>"+echo) },
		"keys": func(w http.ResponseWriter, echo string) {
			reply(w, 200, map[string]any{"keys": []string{echo}, echo: echo, "policies": echo})
		},
		"strings": func(w http.ResponseWriter, echo string) { reply(w, 200, echo) },
		"broken": func(w http.ResponseWriter, echo string) {
			w.Header().Set("Content-Length", "999999")
			fmt.Fprint(w, echo)
		},
	}
	s := &stand{t: t}
	auths := map[string]Auth{
		"approle":    {AppRole: AppRole{RoleID: s.file("canary-role"), SecretID: s.file("canary-secret-id")}},
		"kubernetes": {Kubernetes: Kubernetes{Role: "credsync", TokenFile: s.file("canary-account").File}},
		"jwt":        {JWT: JWT{Role: "credsync", Token: s.file("canary.j.wt")}},
		"userpass":   {UserPass: UserPass{Username: "credsync", Password: s.file("canary-password")}},
	}
	for _, during := range []string{"login", "all after it"} {
		for name, answer := range replies {
			for kind, auth := range auths {
				if during == "login" || kind == "approle" { // after it, all are one
					t.Run(name+" to "+during+" by "+kind, func(t *testing.T) { showsNothing(t, auth, during, answer) })
				}
			}
		}
	}
}

// showsNothing does all on a server that answers badly during a part of it.
func showsNothing(t *testing.T, auth Auth, during string, answer func(http.ResponseWriter, string)) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if during != "login" && strings.Contains(r.URL.Path, "/login") {
			fmt.Fprint(w, `{"request_id":"1","auth":{"client_token":"canary-token","lease_duration":60,"renewable":true}}`)
			return
		}
		answer(w, fmt.Sprintf("%s %q %q canary-token", r.URL, r.Header, body))
	}))
	t.Cleanup(server.Close)
	s := &stand{t: t, config: Config{Address: server.URL, Path: "alexa/{skill_id}", Auth: auth}}
	said := fmt.Sprint(s.open().everything(t.Context(), s.record("canary-value")))
	if !strings.Contains(said, ":") || strings.Contains(said, "canary") {
		t.Errorf("it says too much or nothing: %s", said)
	}
}

// everything does all that a sink can do, on a sink that never proved its mount
// and on one that did, and returns what it says.
func (s *Sink) everything(ctx context.Context, r sink.Record) (said []any) {
	note := func(what ...any) {
		for _, w := range what {
			said = append(said, fmt.Sprintf("%v %+v %#v", w, w, w))
		}
	}
	for _, proven := range []bool{false, true} {
		s.mount.proven.Store(proven)
		for _, prev := range []sink.State{{}, {Owner: ours}, {Exists: true, Owner: ours, Version: "1"}} {
			_, err := s.Put(ctx, name, r, prev)
			note(err)
			_, err = s.Adopt(ctx, name, ours, prev)
			note(err)
		}
		_, err := s.Inspect(ctx, name)
		note(err)
		_, err = s.Orphans(ctx, "prod", func(string) bool { return false })
		note(err)
		advice, err := s.Check(ctx)
		note(advice, err)
		for _, f := range doctor.Examine(ctx, s.Examination(), time.Minute) {
			note(f.Advice, f.Err)
		}
	}
	return said
}

package vaultkv

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// An issuer stands in for the part of Vault that grants tokens. A login takes it
// a second.
type issuer struct {
	ttl, limit time.Duration // of a token: from one renewal to the next, and over all
	uses       int           // logins left; negative: any number
	born       time.Time     // when the last login was
	logins     int
	renewals   int
	asked      int       // logins tried
	down       time.Time // until when it is unavailable
}

func (i *issuer) send(_ context.Context, r request, _ credential.Secret) (answer, error) {
	<-time.After(time.Second)
	a := answer{operation: opLogin, status: 200}
	login := strings.HasSuffix(r.path, "/login")
	if login {
		i.asked++
	}
	switch {
	case time.Now().Before(i.down):
		return a, &failure{operation: a.operation, problem: "down", class: sink.ErrUnavailable}
	case login && i.uses == 0:
		return a, &failure{operation: a.operation, problem: "used up", class: sink.ErrDenied}
	case login:
		i.uses, i.logins, i.born = i.uses-1, i.logins+1, time.Now()
	default:
		i.renewals++
	}
	left := min(i.ttl, i.limit-time.Since(i.born))
	a.body, _ = json.Marshal(map[string]any{"auth": map[string]any{
		"client_token": "token " + strconv.Itoa(i.logins), "lease_duration": int(left.Seconds()), "renewable": true,
	}})
	return a, nil
}

// approle returns a login whose two IDs lie in files.
func approle(t *testing.T, role, secret string) Auth {
	t.Helper()
	s := &stand{t: t}
	return Auth{AppRole: AppRole{RoleID: s.file(role), SecretID: s.file(secret)}}
}

func mustGet(t *testing.T, tokens *tokens) string {
	t.Helper()
	got, err := tokens.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got.secret.Reveal()
}

func TestTokens(t *testing.T) {
	run := func(name string, i issuer, test func(t *testing.T, i *issuer, tokens *tokens)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test(t, &i, newTokens(approle(t, "r", "s"), i.send))
			})
		})
	}
	counts := func(t *testing.T, i *issuer, logins, renewals int) {
		t.Helper()
		if i.logins != logins || i.renewals != renewals {
			t.Errorf("got %d logins and %d renewals, want %d and %d", i.logins, i.renewals, logins, renewals)
		}
	}
	hour := issuer{ttl: time.Hour, limit: 4 * time.Hour, uses: -1}
	run("sixteen callers log in once", hour, func(t *testing.T, i *issuer, tokens *tokens) {
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() { mustGet(t, tokens) })
		}
		wg.Wait()
		counts(t, i, 1, 0)
	})
	run("who waits for a login waits no longer than its context", hour, func(t *testing.T, _ *issuer, tokens *tokens) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() { mustGet(t, tokens) })
		synctest.Wait()
		if _, err := tokens.get(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
		}
		wg.Wait()
	})
	run("of two who meet a bad token one replaces it", hour, func(t *testing.T, i *issuer, tokens *tokens) {
		bad, err := tokens.get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got, err := tokens.replace(t.Context(), bad); err != nil || got.secret.Reveal() != "token 2" {
				t.Errorf("got %q, %v; want token 2", got.secret.Reveal(), err)
			}
		}
		counts(t, i, 2, 0)
	})
	run("a token is renewed when half of its time has gone", hour, func(t *testing.T, i *issuer, tokens *tokens) {
		mustGet(t, tokens)
		<-time.After(29 * time.Minute)
		mustGet(t, tokens)
		counts(t, i, 1, 0)
		<-time.After(2 * time.Minute)
		mustGet(t, tokens)
		mustGet(t, tokens)
		counts(t, i, 1, 1)
	})
	run("a token whose end is over is not tried", hour, func(t *testing.T, i *issuer, tokens *tokens) {
		mustGet(t, tokens)
		<-time.After(time.Hour)
		if got := mustGet(t, tokens); got != "token 2" {
			t.Errorf("got %q, want token 2", got)
		}
		counts(t, i, 2, 0)
	})
	run("near its last end a token is replaced", hour, func(t *testing.T, i *issuer, tokens *tokens) {
		for start := time.Now(); time.Since(start) < 4*time.Hour; <-time.After(10 * time.Minute) {
			mustGet(t, tokens)
		}
		if i.logins != 2 {
			t.Errorf("got %d logins, want 2", i.logins)
		}
	})
	run("where nothing helps the held token serves to its end, in few attempts", issuer{ttl: time.Hour, limit: time.Hour, uses: 1}, func(t *testing.T, i *issuer, tokens *tokens) {
		for start := time.Now(); time.Since(start) < 59*time.Minute; <-time.After(time.Second) {
			mustGet(t, tokens)
		}
		if i.renewals > 8 {
			t.Errorf("got %d renewals, want few", i.renewals)
		}
		<-time.After(time.Minute)
		if _, err := tokens.get(t.Context()); !errors.Is(err, sink.ErrDenied) {
			t.Errorf("got error %v, want %v", err, sink.ErrDenied)
		}
	})
}

// Vault locks a role out, for all who use it, after a few wrong tries.
func TestARefusedLoginIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{ttl: time.Hour, limit: time.Hour}
		auth := approle(t, "r", "wrong")
		tokens := newTokens(auth, i.send)
		want := func(asked int) {
			t.Helper()
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					if _, err := tokens.get(t.Context()); !errors.Is(err, sink.ErrDenied) {
						t.Errorf("got error %v", err)
					}
				})
			}
			wg.Wait()
			if i.asked != asked {
				t.Errorf("%d logins tried, want %d", i.asked, asked)
			}
		}
		want(1)
		time.Sleep(stickyRefusal)
		want(2)
		if err := os.WriteFile(auth.AppRole.SecretID.File, []byte("right"), 0o600); err != nil {
			t.Fatal(err)
		}
		i.uses = 1
		mustGet(t, tokens) // other IDs are another matter
	})
}

func TestKeep(t *testing.T) {
	keep := func(t *testing.T, i *issuer, lasting time.Duration) (*Sink, error) {
		t.Helper()
		k := &Sink{client: &client{tokens: newTokens(approle(t, "r", "s"), i.send)}}
		ctx, cancel := context.WithTimeout(t.Context(), lasting)
		defer cancel()
		return k, k.Keep(ctx)
	}
	t.Run("the token of a secret ID of one use lives on for days", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			i := &issuer{ttl: time.Hour, limit: 1000 * time.Hour, uses: 1}
			k, err := keep(t, i, 48*time.Hour)
			if err != nil || k.client.tokens.held.over(time.Now()) {
				t.Errorf("got error %v and a token that ended at %v", err, k.client.tokens.held.since.Add(time.Hour))
			}
			if i.renewals < 48 || i.renewals > 100 {
				t.Errorf("got %d renewals in 48 h, want about 96", i.renewals)
			}
		})
	})
	t.Run("it outlives an outage and gives up on a refusal", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			i := &issuer{ttl: time.Hour, limit: time.Hour, uses: 1, down: time.Now().Add(3 * time.Hour)}
			start := time.Now()
			_, err := keep(t, i, 48*time.Hour)
			if !errors.Is(err, sink.ErrDenied) || i.logins != 1 {
				t.Errorf("got error %v after %d logins, want %v after 1", err, i.logins, sink.ErrDenied)
			}
			if took := time.Since(start); took < 4*time.Hour || took > 5*time.Hour {
				t.Errorf("it took %v, want the outage and the token's hour", took)
			}
		})
	})
}

// vaultRole makes an AppRole of its own in the stand's Vault, and logs in by it.
func (s *stand) vaultRole(role map[string]any) {
	s.t.Helper()
	at := "approle-" + strings.TrimPrefix(s.mount, "test-")
	s.must("POST", "sys/auth/"+at, map[string]string{"type": "approle"})
	s.t.Cleanup(func() { s.must("DELETE", "sys/auth/"+at, nil) })
	s.must("PUT", "sys/policies/acl/"+at, map[string]string{"policy": `path "` + s.mount + `/*" { capabilities = ["create", "read", "patch"] }`})
	s.t.Cleanup(func() { s.must("DELETE", "sys/policies/acl/"+at, nil) })
	role["token_policies"] = []string{at}
	s.must("POST", "auth/"+at+"/role/r", role)
	text := func(method, path, key string) credential.Ref {
		return s.file(s.must(method, "auth/"+at+"/role/r/"+path, nil)["data"].(map[string]any)[key].(string))
	}
	s.config.Auth = Auth{AppRole: AppRole{Mount: at, RoleID: text("GET", "role-id", "role_id"), SecretID: text("POST", "secret-id", "secret_id")}}
}

func TestAppRoleOnVault(t *testing.T) {
	t.Run("a secret ID of one use serves one sink for many calls", func(t *testing.T) {
		s := vaultStand(t, 2)
		s.vaultRole(map[string]any{"secret_id_num_uses": 1})
		k := s.open()
		for range 5 {
			s.inspect(k)
		}
		if got := strings.Count(strings.Join(s.since(0), "\n"), "/login"); got != 1 {
			t.Errorf("got %d logins, want 1", got)
		}
		_, err := s.open().Inspect(t.Context(), name)
		if !errors.Is(err, sink.ErrDenied) || !strings.Contains(err.Error(), "login was refused") {
			t.Errorf("the second sink: got error %v, want %v", err, sink.ErrDenied)
		}
	})
	t.Run("the work goes on past the last end of a token", func(t *testing.T) {
		s := vaultStand(t, 2)
		s.vaultRole(map[string]any{"token_ttl": "1s", "token_max_ttl": "1s"})
		k := s.open()
		for start := time.Now(); time.Since(start) < 2500*time.Millisecond; {
			s.inspect(k)
		}
	})
	t.Run("a revoked token is replaced once", func(t *testing.T) {
		s := vaultStand(t, 2)
		s.vaultRole(map[string]any{})
		k := s.open()
		s.inspect(k)
		s.must("POST", "auth/token/revoke", map[string]string{"token": k.client.tokens.held.secret.Reveal()})
		asked := s.asked(func() { s.inspect(k) })
		if len(asked) != 3 || !strings.Contains(asked[1], "/login") {
			t.Errorf("got requests %q, want one refused, a login and another", asked)
		}
	})
}

func TestStaticToken(t *testing.T) {
	t.Run("a token refused is read anew", func(t *testing.T) {
		both(t, 2, func(t *testing.T, s *stand) {
			good, err := s.config.Auth.Token.Read()
			if err != nil {
				t.Fatal(err)
			}
			s.config.Auth.Token = s.file("not-a-token")
			k := s.open()
			asked := s.asked(func() { _, err = k.Inspect(t.Context(), name) })
			if !errors.Is(err, sink.ErrDenied) || len(asked) != 1 {
				t.Errorf("got error %v after %d requests, want %v after 1", err, len(asked), sink.ErrDenied)
			}
			if err := os.WriteFile(s.config.Auth.Token.File, []byte(good.Reveal()), 0o600); err != nil {
				t.Fatal(err)
			}
			s.inspect(k)
		})
	})
	t.Run("a file that isn't there is named", func(t *testing.T) {
		s := fakeStand(t, 2)
		path := filepath.Join(t.TempDir(), "gone")
		s.config.Auth.Token = credential.Ref{File: path}
		_, err := s.open().Inspect(t.Context(), name)
		if !errors.Is(err, sink.ErrDenied) || !strings.Contains(err.Error(), path) {
			t.Errorf("got error %v", err)
		}
	})
	t.Run("of a token without an end, Keep asks once", func(t *testing.T) {
		s := fakeStand(t, 2)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/5)
		defer cancel()
		asked := s.asked(func() {
			if err := s.open().Keep(ctx); err != nil {
				t.Error(err)
			}
		})
		if diff := cmp.Diff([]string{"GET auth/token/lookup-self"}, asked); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
	t.Run("a token that Vault doesn't know can't be kept", func(t *testing.T) {
		s := fakeStand(t, 2)
		s.config.Auth.Token = s.file("nobody")
		if err := s.open().Keep(t.Context()); !errors.Is(err, sink.ErrDenied) {
			t.Errorf("got error %v, want %v", err, sink.ErrDenied)
		}
	})
	t.Run("a periodic token is kept alive", func(t *testing.T) {
		t.Parallel()
		s := vaultStand(t, 2)
		created := s.must("POST", "auth/token/create", map[string]any{"period": "4s"})
		s.config.Auth.Token = s.file(created["auth"].(map[string]any)["client_token"].(string))
		k := s.open()
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		if err := k.Keep(ctx); err != nil {
			t.Fatal(err)
		}
		s.inspect(k)
	})
}

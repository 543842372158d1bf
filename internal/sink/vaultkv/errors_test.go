package vaultkv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
)

// echo is what a hostile server puts into its answers: all that it was sent.
const echo = "ECHO"

// hostile is a sink on a server that answers all in one way, and the count of
// its requests.
func hostile(t *testing.T, status int, header http.Header, body string) (*stand, *Sink, *atomic.Int32) {
	t.Helper()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		sent, _ := io.ReadAll(r.Body)
		for key := range header {
			w.Header().Set(key, header.Get(key))
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strings.ReplaceAll(body, echo, fmt.Sprintf("%s %q %q", r.URL, r.Header, sent)))
	}))
	t.Cleanup(server.Close)
	s := &stand{t: t}
	s.config = Config{Address: server.URL, Path: "alexa/{skill_id}", Auth: Auth{Token: s.file("canary-token")}}
	k := s.open()
	k.mount.proven.Store(true)
	return s, k, &requests
}

func TestAnswersAndTheirErrors(t *testing.T) {
	tests := []struct {
		name   string
		status int
		header http.Header
		body   string
		want   error
		text   string // what the error says
		tries  int32
	}{
		{"sealed", 503, nil, `{"errors":["Vault is sealed"]}`, sink.ErrUnavailable, "Vault is sealed", 3},
		{"a page of a load balancer", 502, nil, `<html>` + echo, sink.ErrUnavailable, "502", 3},
		{"200 that isn't JSON", 200, nil, `<html>` + echo, sink.ErrUnavailable, "not one of Vault's", 3},
		{"200 that echoes", 200, nil, `{"data":{"current_version":1},"errors":["` + "canary" + `"]}`, sink.ErrUnavailable, "not one of Vault's", 3},
		{"200 without what it has to hold", 200, nil, `{"request_id":"1","data":{}}`, sink.ErrUnavailable, "not what Vault sends", 1},
		{"200 with a version that isn't listed", 200, nil, `{"request_id":"1","data":{"created_time":"x","current_version":3}}`, sink.ErrUnavailable, "not what Vault sends", 1},
		{"206", 206, nil, `{"request_id":"1"}`, sink.ErrUnavailable, "not one of Vault's", 3},
		{"a standby's redirect", 307, http.Header{"Location": {"http://127.0.0.1:1/"}}, "", sink.ErrUnavailable, "set address to the active node", 1},
		{"denied", 403, nil, `{"errors":["permission denied","` + "canary" + `"]}`, sink.ErrDenied, ": the policy does not allow it: access denied", 1},
		{"token unknown", 403, nil, `{"errors":["permission denied","invalid token"]}`, sink.ErrDenied, "or it has expired; put a new one where auth.token points: access denied", 1},
		{"403 of a firewall", 403, nil, `<html>` + echo, sink.ErrDenied, "in a proxy's or firewall's words", 1},
		{"404 of a proxy", 404, nil, `404 page not found`, sink.ErrUnavailable, "not one of Vault's", 1},
		{"404 of another API", 404, nil, `{"message":"not found"}`, sink.ErrUnavailable, "not one of Vault's", 1},
		{"an empty path of the wrong kind", 404, nil, `{"request_id":"1","data":null,"warnings":["Invalid path for a versioned K/V secrets engine."]}`, sink.ErrInvalid, "set version: 2", 1},
		{"no mount", 404, nil, `{"errors":["no handler for route \"canary\". route entry not found."]}`, sink.ErrInvalid, "set mount", 1},
		{"a node that lags behind", 412, nil, `{"errors":["required index state not present"]}`, sink.ErrUnavailable, "lags behind", 3},
		{"too many", 429, nil, `{"errors":["rate limit quota exceeded"]}`, sink.ErrRateLimited, "quota", 3},
		{"too many, for longer than we wait", 429, http.Header{"Retry-After": {"3600"}}, `{"errors":[]}`, sink.ErrRateLimited, "quota", 1},
		{"too large", 413, nil, `too large`, sink.ErrInvalid, "larger than", 1},
		{"too large, said as 500", 500, nil, `{"errors":["JSON string value exceeds allowed length"]}`, sink.ErrInvalid, "larger than", 1},
		{"being upgraded", 400, nil, `{"errors":["Upgrading from non-versioned to versioned data. This backend will be unavailable"]}`, sink.ErrUnavailable, "upgraded", 3},
		{"another bad request", 400, nil, `{"errors":["` + "canary" + `"]}`, sink.ErrInvalid, "400", 1},
		{"an endless answer", 200, nil, strings.Repeat("canary ", 3<<20), sink.ErrUnavailable, "larger than allowed", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, k, requests := hostile(t, tt.status, tt.header, tt.body)
			state, err := k.Inspect(t.Context(), name)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) || state != (sink.State{}) {
				t.Errorf("Inspect: got %+v, %v; want %v with %q", state, err, tt.want, tt.text)
			}
			if got := requests.Load(); got != tt.tries {
				t.Errorf("got %d requests, want %d", got, tt.tries)
			}
			claimed := sink.State{Owner: ours}
			_, putErr := k.Put(t.Context(), name, s.record("canary-secret"), claimed)
			for _, text := range []string{fmt.Sprintf("%v", errors.Join(err, putErr)), fmt.Sprintf("%+v %#v", err, putErr)} {
				if putErr == nil || strings.Contains(text, "canary") || strings.Contains(text, "127.0.0.1") {
					t.Errorf("the errors tell too much or nothing: %s", text)
				}
			}
		})
	}
}

// Before a login there is no policy that could deny anything.
func TestALoginIsNotDeniedByAPolicy(t *testing.T) {
	for _, status := range []int{400, 403} {
		f := classify(answer{operation: opLogin, status: status, body: []byte(`{"errors":["permission denied"]}`)})
		if !errors.Is(f, sink.ErrDenied) || !strings.Contains(f.Error(), "login: the login was refused: ") || !f.login {
			t.Errorf("%d: got %v", status, f)
		}
	}
}

func TestATokenThatCantBeReadNamesItsKey(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "token")
	s := &stand{t: t, config: Config{Address: "http://127.0.0.1:1", Path: "{skill_id}", Auth: Auth{Token: credential.Ref{File: missing}}}}
	_, err := s.open().Inspect(t.Context(), name)
	if !errors.Is(err, sink.ErrDenied) || !strings.HasPrefix(err.Error(), "auth.token: access denied: "+missing+": ") {
		t.Errorf("got %v", err)
	}
}

func TestConnections(t *testing.T) {
	inspect := func(t *testing.T, c Config) error {
		t.Helper()
		s := &stand{t: t, config: c}
		s.config.Path, s.config.Auth = "alexa/{skill_id}", Auth{Token: s.file(plainToken)}
		_, err := s.open().Inspect(t.Context(), name)
		return err
	}
	secure := httptest.NewUnstartedServer(newFake(2))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of failed handshakes
	secure.StartTLS()
	t.Cleanup(secure.Close)
	plain := httptest.NewServer(newFake(2))
	t.Cleanup(plain.Close)
	ca := pemFile(t, secure.Certificate().Raw)
	for _, tt := range []struct {
		name   string
		config Config
		text   string // of the error; empty: there is none
	}{
		{"a certificate of our authority", Config{Address: secure.URL, TLS: wire.TLS{CAFile: ca}}, ""},
		{"by another name", Config{Address: secure.URL, TLS: wire.TLS{CAFile: ca, ServerName: "example.com"}}, ""},
		{"by a wrong name", Config{Address: secure.URL, TLS: wire.TLS{CAFile: ca, ServerName: "vault.test"}}, "not trusted"},
		{"a certificate of nobody", Config{Address: secure.URL}, "not trusted"},
		{"https to a server that speaks http", Config{Address: "https" + strings.TrimPrefix(plain.URL, "http")}, "speaks no TLS; is vault_kv.address right?"},
		{"http to a server that speaks https", Config{Address: "http" + strings.TrimPrefix(secure.URL, "https")}, "not one of Vault's"},
		{"nobody there", Config{Address: "http://127.0.0.1:1"}, "nothing listens at vault_kv.address"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := inspect(t, tt.config)
			if tt.text == "" && err != nil {
				t.Errorf("got error %v", err)
			}
			if tt.text != "" && (!errors.Is(err, sink.ErrUnavailable) || !strings.Contains(err.Error(), tt.text)) {
				t.Errorf("got error %v, want %v with %q", err, sink.ErrUnavailable, tt.text)
			}
		})
	}
}

func TestPace(t *testing.T) {
	t.Run("a wait is jittered below a bound that doubles, and not below the server's wish", func(t *testing.T) {
		for range 1000 {
			p := &pace{}
			if first, second := p.NextBackOff(), p.NextBackOff(); first >= baseDelay || second >= 2*baseDelay {
				t.Fatalf("got %v and %v", first, second)
			}
			p.floor = 3 * time.Second
			if got := p.NextBackOff(); got != p.floor {
				t.Fatalf("got %v, want %v", got, p.floor)
			}
		}
	})
	t.Run("a wait that would pass the deadline is not begun", func(t *testing.T) {
		_, k, requests := hostile(t, 503, http.Header{"Retry-After": {"30"}}, `{"errors":["Vault is sealed"]}`)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		start := time.Now()
		_, err := k.Inspect(ctx, name)
		if !errors.Is(err, sink.ErrUnavailable) || requests.Load() != 1 || time.Since(start) > 10*time.Second {
			t.Errorf("got error %v after %d requests and %v", err, requests.Load(), time.Since(start))
		}
	})
}

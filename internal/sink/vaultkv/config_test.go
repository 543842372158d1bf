package vaultkv

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/wire"
)

func pemFile(t *testing.T, certificate []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFaults(t *testing.T) {
	ref := credential.Ref{File: "/secret"}
	good := func() Config {
		return Config{Address: "https://vault.example.com:8200", Path: "alexa/{skill_id}", Auth: Auth{Token: ref}}
	}
	for _, tt := range []struct {
		name   string
		change func(*Config)
		field  string // of the fault; empty: there is none
	}{
		{"the least", func(*Config) {}, ""},
		{"all of it", func(c *Config) {
			c.Mount, c.Version, c.Namespace, c.TLS = "/team/kv/", 1, "team/voice/", wire.TLS{CAFile: "/ca", ServerName: "v"}
			c.Auth = Auth{AppRole: AppRole{RoleID: ref, SecretID: ref, Mount: "machines/approle"}}
		}, ""},
		{"http", func(c *Config) { c.Address = "http://127.0.0.1:8200" }, ""},
		{"no address", func(c *Config) { c.Address = "" }, "address"},
		{"an address without a scheme", func(c *Config) { c.Address = "vault.example.com:8200" }, "address"},
		{"another scheme", func(c *Config) { c.Address = "ftp://vault" }, "address"},
		{"a password in the address", func(c *Config) { c.Address = "https://u:p@vault" }, "address"},
		{"tls without TLS", func(c *Config) { c.Address, c.TLS.CAFile = "http://vault", "/ca" }, "tls"},
		{"a mount that climbs", func(c *Config) { c.Mount = "kv/../sys" }, "mount"},
		{"version 3", func(c *Config) { c.Version = 3 }, "version"},
		{"no path", func(c *Config) { c.Path = "" }, "path"},
		{"a path that is one for all", func(c *Config) { c.Path = "alexa/all" }, "path"},
		{"a path that climbs", func(c *Config) { c.Path = "../{skill_id}" }, "path"},
		{"a path that begins with a slash", func(c *Config) { c.Path = "/alexa/{skill_id}" }, "path"},
		{"a path with a gap", func(c *Config) { c.Path = "alexa//{skill_id}" }, "path"},
		{"a namespace with a newline", func(c *Config) { c.Namespace = "a\nb" }, "namespace"},
		{"nobody", func(c *Config) { c.Auth = Auth{} }, "auth"},
		{"two at once", func(c *Config) { c.Auth.AppRole.RoleID = ref }, "auth"},
		{"half a role", func(c *Config) { c.Auth = Auth{AppRole: AppRole{RoleID: ref}} }, "auth.approle.secret_id"},
		{"the other half", func(c *Config) { c.Auth = Auth{AppRole: AppRole{SecretID: ref}} }, "auth.approle.role_id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := good()
			tt.change(&c)
			faults := c.Faults()
			if tt.field == "" && len(faults) > 0 || tt.field != "" && (len(faults) != 1 || faults[0].Field != tt.field || faults[0].Hint == "") {
				t.Errorf("got %+v, want one at %q", faults, tt.field)
			}
		})
	}
}

func TestPlaceAndScope(t *testing.T) {
	a := Config{Address: "https://v:8200/", Path: "p/{skill_id}"}
	b := Config{Address: "https://v:8200", Mount: "/secret/", Path: "p/{skill_id}"}
	if a.Place() != b.Place() {
		t.Errorf("got %q and %q, want one place", a.Place(), b.Place())
	}
	b.Namespace = "/team/"
	if a.Place() == b.Place() {
		t.Errorf("got %q twice, want two places", a.Place())
	}
	if form := b.Form(); form.Kind != "vault_kv" || form.Scope != "team\x00secret" || a.Form().Scope != "secret" {
		t.Errorf("got kind %q, scopes %q and %q", form.Kind, form.Scope, a.Form().Scope)
	}
}

// What the environment says to Vault's own tools means nothing to us.
func TestEnvironmentIsNotRead(t *testing.T) {
	for _, env := range []string{
		"VAULT_ADDR=http://127.0.0.1:1", "VAULT_AGENT_ADDR=http://127.0.0.1:1", "VAULT_TOKEN=env-token", "VAULT_NAMESPACE=env",
		"VAULT_CACERT=/does/not/exist", "VAULT_CACERT_BYTES=x", "VAULT_CAPATH=/does/not/exist", "VAULT_CLIENT_CERT=/does/not/exist",
		"VAULT_CLIENT_KEY=", "VAULT_CLIENT_TIMEOUT=1ns", "VAULT_SKIP_VERIFY=true", "VAULT_TLS_SERVER_NAME=env.test", "VAULT_MAX_RETRIES=many",
		"VAULT_RATE_LIMIT=none", "VAULT_SRV_LOOKUP=true", "VAULT_WRAP_TTL=1h", "VAULT_MFA=x", "VAULT_HEADERS={", "VAULT_PROXY_ADDR=http://127.0.0.1:1",
		"VAULT_HTTP_PROXY=http://127.0.0.1:1", "VAULT_DISABLE_REDIRECTS=maybe", "VAULT_REDIRECT_ADDR=http://127.0.0.1:1",
	} {
		key, value, _ := strings.Cut(env, "=")
		t.Setenv(key, value)
	}
	backend := newFake(2)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, header := range []string{"X-Vault-Namespace", "X-Vault-Wrap-Ttl", "X-Vault-Mfa"} {
			if got := r.Header.Get(header); got != "" {
				t.Errorf("got %s: %s", header, got)
			}
		}
		backend.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	s := &stand{t: t}
	s.config = Config{Address: server.URL, Path: "alexa/{skill_id}", Auth: Auth{Token: s.file(plainToken)}, TLS: wire.TLS{CAFile: pemFile(t, server.Certificate().Raw)}}
	s.put(s.open(), "a")
	s.config.TLS = wire.TLS{}
	if _, err := s.open().Inspect(t.Context(), name); err == nil {
		t.Error("VAULT_SKIP_VERIFY acted")
	}

	s.config.TLS.CAFile = pemFile(t, server.Certificate().Raw)
	open := s.open()
	if !open.Fresh() {
		t.Error("not fresh right after Open")
	}
	if err := os.WriteFile(s.config.TLS.CAFile, []byte("others"), 0o600); err != nil {
		t.Fatal(err)
	}
	if open.Fresh() {
		t.Error("fresh with other authorities in the file")
	}
}

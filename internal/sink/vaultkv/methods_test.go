package vaultkv

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
)

// Each method sends what Vault's page on it says, reads it anew at each login,
// and asks the right questions where Vault refuses it.
func TestMethods(t *testing.T) {
	s := &stand{t: t}
	first, second := s.file("role"), s.file("old")
	for kind, tt := range map[string]struct {
		auth  Auth
		path  string
		body  string // with SECRET in it
		doubt string
	}{
		"approle":    {Auth{AppRole: AppRole{RoleID: first, SecretID: second}}, "/v1/auth/approle/login", `{"role_id":"role","secret_id":"SECRET"}`, "is the secret ID still good"},
		"kubernetes": {Auth{Kubernetes: Kubernetes{Role: "r", TokenFile: second.File, Mount: "/k8s/eu/"}}, "/v1/auth/k8s/eu/login", `{"jwt":"SECRET","role":"r"}`, "does auth.kubernetes.role bind"},
		"jwt":        {Auth{JWT: JWT{Role: "r", Token: second}}, "/v1/auth/jwt/login", `{"jwt":"SECRET","role":"r"}`, "does auth.jwt.role take its claims"},
		"userpass":   {Auth{UserPass: UserPass{Username: "u v", Password: second}}, "/v1/auth/userpass/login/u%20v", `{"password":"SECRET"}`, "auth.userpass.username, password"},
	} {
		t.Run(kind, func(t *testing.T) {
			var logins []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if !strings.HasPrefix(r.URL.Path, "/v1/auth/") {
					refuse(w, 404)
					return
				}
				logins = append(logins, r.URL.EscapedPath()+" "+string(body))
				if strings.Contains(string(body), "old") {
					refuse(w, 403, "permission denied")
					return
				}
				fmt.Fprint(w, `{"request_id":"1","auth":{"client_token":"t","lease_duration":60}}`)
			}))
			t.Cleanup(server.Close)
			set := func(secret string) string {
				t.Helper()
				if err := os.WriteFile(second.File, []byte(secret+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				return tt.path + " " + strings.ReplaceAll(tt.body, "SECRET", secret)
			}
			want := []string{set("old")}
			k := (&stand{t: t, config: Config{Address: server.URL, Path: "{skill_id}", Auth: tt.auth}}).open()
			if faults := k.config.Faults(); len(faults) > 0 {
				t.Fatal(faults)
			}
			_, err := k.Inspect(t.Context(), name)
			if !errors.Is(err, sink.ErrDenied) || !strings.Contains(err.Error(), "the login was refused; ") || !strings.Contains(err.Error(), tt.doubt) {
				t.Errorf("got error %v", err)
			}
			want = append(want, set("new"))
			if _, err := k.Inspect(t.Context(), name); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, logins); diff != "" {
				t.Errorf("logins (-want +got):\n%s", diff)
			}
			if err := os.Remove(second.File); err != nil {
				t.Fatal(err)
			}
			k.client.tokens.held = token{}
			if _, err := k.Inspect(t.Context(), name); !errors.Is(err, sink.ErrDenied) || !strings.Contains(err.Error(), "auth."+kind+".") {
				t.Errorf("without the file: got error %v", err)
			}
		})
	}
}

// Kubernetes leaves the token readable by all in the container.
func TestTheModeOfAServiceAccountTokenIsNotJudged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("t"), 0o644); err != nil {
		t.Fatal(err)
	}
	k := Kubernetes{Role: "r", TokenFile: path}
	if faults := k.FileFaults(); len(faults) > 0 {
		t.Error(faults)
	}
	if _, err := k.login(); err != nil {
		t.Error(err)
	}
}

// keyPair writes a pair for a client of that name into the files of c.
func keyPair(t *testing.T, c Cert, client string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: client}, NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{c.CertFile: {Type: "CERTIFICATE", Bytes: certificate}, c.KeyFile: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A login and a renewal show the pair that stands there now, whatever connections
// are open, and the others one that is no older than they are.
func TestACertificateIsReadAnew(t *testing.T) {
	var seen []string
	var revoked atomic.Bool
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1/auth/"):
			seen = append(seen, r.TLS.PeerCertificates[0].Subject.CommonName+" "+strings.TrimPrefix(r.URL.Path, "/v1/auth/")+" "+string(body))
			fmt.Fprintf(w, `{"request_id":"1","auth":{"client_token":"t%d","lease_duration":3600,"renewable":true}}`, len(seen))
		case revoked.CompareAndSwap(true, false):
			refuse(w, 403, "permission denied", "invalid token")
		default:
			if len(r.TLS.PeerCertificates) == 0 {
				t.Errorf("%s: no certificate", r.URL.Path)
			}
			refuse(w, 404)
		}
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	dir := t.TempDir()
	c := Cert{Name: "robot", CertFile: filepath.Join(dir, "cert"), KeyFile: filepath.Join(dir, "key")}
	s := &stand{t: t, config: Config{
		Address: server.URL, Path: "{skill_id}", Auth: Auth{Cert: c}, TLS: wire.TLS{CAFile: pemFile(t, server.Certificate().Raw)},
	}}
	keyPair(t, c, "first")
	k := s.open()
	s.inspect(k)
	keyPair(t, c, "second")
	k.client.tokens.held.refresh = time.Now()
	s.inspect(k)
	keyPair(t, c, "third")
	revoked.Store(true)
	s.inspect(k)
	want := []string{`first cert/login {"name":"robot"}`, `second token/renew-self `, `third cert/login {"name":"robot"}`}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPairThatCantBeRead(t *testing.T) {
	dir := t.TempDir()
	c := Cert{CertFile: filepath.Join(dir, "cert"), KeyFile: filepath.Join(dir, "key")}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("something was asked") }))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	s := &stand{t: t, config: Config{Address: server.URL, Path: "{skill_id}", Auth: Auth{Cert: c}, TLS: wire.TLS{CAFile: pemFile(t, server.Certificate().Raw)}}}
	k := s.open()
	other := Cert{CertFile: filepath.Join(dir, "other"), KeyFile: filepath.Join(dir, "other-key")}
	keyPair(t, other, "other")
	for name, tt := range map[string]struct {
		spoil func() error
		key   string
	}{
		"no certificate":     {func() error { return os.WriteFile(c.CertFile, []byte("canary"), 0o600) }, "cert_file"},
		"no key":             {func() error { return os.WriteFile(c.KeyFile, []byte("canary"), 0o600) }, "key_file"},
		"the key of another": {func() error { return os.Rename(other.KeyFile, c.KeyFile) }, "key_file"},
		"nothing there":      {func() error { return os.Remove(c.KeyFile) }, "key_file"},
		"for all to read":    {func() error { return os.Chmod(c.KeyFile, 0o644) }, "key_file"},
	} {
		keyPair(t, c, "ours")
		if faults := c.FileFaults(); len(faults) > 0 {
			t.Fatal(faults)
		}
		if err := tt.spoil(); err != nil {
			t.Fatal(err)
		}
		faults := c.FileFaults()
		if len(faults) != 1 || faults[0].Field != tt.key || faults[0].Hint == "" {
			t.Errorf("%s: got faults %+v", name, faults)
		}
		_, err := k.Inspect(t.Context(), name)
		text := fmt.Sprintf("%v %+v", err, faults)
		if !errors.Is(err, sink.ErrDenied) || !strings.Contains(text, "auth.cert."+tt.key) || strings.Contains(text, "canary") || strings.Contains(text, "BEGIN") {
			t.Errorf("%s: got %s", name, text)
		}
		if _, err := c.present(nil); !errors.Is(err, sink.ErrDenied) || !errors.Is(lost(opLogin, fmt.Errorf("handshake: %w", err)), sink.ErrDenied) {
			t.Errorf("%s: a connection gets %v", name, err)
		}
		_ = os.Remove(c.KeyFile)
	}
}

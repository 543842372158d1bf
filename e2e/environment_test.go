package e2e

import (
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestTheEnvironmentLeadsNowhere sets all that other programs take from their
// environment for the same servers: an endpoint that is hostile, a proxy of
// Vault's own, an authority that nobody knows, a log. Nothing of it acts.
func TestTheEnvironmentLeadsNowhere(t *testing.T) {
	w := newWorld(t, 4)
	v, a := w.withVault(), w.withAWS()
	ca := w.front(v, a)
	var visits atomic.Int64
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	go func() {
		for {
			conn, err := trap.Accept()
			if err != nil {
				return
			}
			visits.Add(1)
			_ = conn.Close()
		}
	}()
	plain := w.env
	keys := filepath.Join(w.dir, "tls-keys")
	said := scan{secrets: map[string]string{
		w.read("vault-token"): "Vault token", awsSecret: "AWS secret key", w.amazon.client.RefreshToken: "refresh token", w.amazon.client.ClientSecret: "client secret",
	}}
	steps := []struct {
		outcome string
		before  func()
	}{
		{"created", func() {}},
		{"unchanged", func() {}},
		{"updated", func() { w.job["max_changes"] = "100%"; w.amazon.rotate(4) }},
	}
	for _, step := range steps {
		step.before()
		for _, p := range w.amazon.skills() {
			said.secrets[w.amazon.pair(p).ClientSecret] = "secret of a skill"
		}
		w.env = append(plain, "SSL_CERT_FILE="+ca, "SSLKEYLOGFILE="+keys, "GODEBUG=http2debug=2,netdns=2", "GOTRACEBACK=all")
		w.env = append(w.env, misleading("http://"+trap.Addr().String(), w.dir)...)
		r := w.sync("--log-level", "debug")
		w.want(r, 0, map[string]int{step.outcome: 8})
		said.look("standard error", r.stderr)
		said.look("standard output", r.stdout)
		if strings.Contains(r.stderr, "http2: ") {
			t.Errorf("the log shows the wire:\n%s", tail(r.stderr))
		}
	}
	w.holds()
	said.wantNothing(t)
	if n := visits.Load(); n != 0 {
		t.Errorf("%d connections went where the environment says", n)
	}
	if _, err := os.Stat(keys); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the keys of TLS were written: %v", err)
	}
}

// front puts servers that speak TLS and HTTP/2 before all others, and returns
// the file of their authority.
func (w *world) front(v *vault, a *aws) (ca string) {
	w.Helper()
	before := func(backend string) string {
		u, err := url.Parse(backend)
		if err != nil {
			w.Fatal(err)
		}
		server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
			Transport: &http.Transport{DisableKeepAlives: true}, ErrorLog: silent,
			Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u); r.Out.Host = r.In.Host },
		})
		server.EnableHTTP2 = true
		server.StartTLS()
		w.Cleanup(server.Close)
		ca = w.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
		return server.URL
	}
	amazon := before(w.amazon.url)
	w.source["api_url"], w.source["token_url"] = amazon, amazon+"/auth/o2/token"
	w.vaultSink()["address"] = before(v.url)
	w.sinks["aws"]["aws_secrets_manager"].(settings)["endpoint_url"] = before(a.URL)
	return ca
}

// misleading are settings of Vault's and AWS's own tools, each to its harm. Some
// are nonsense, on which the libraries of either would not even start.
func misleading(trap, dir string) []string {
	missing := filepath.Join(dir, "missing.pem")
	return []string{
		"VAULT_ADDR=" + trap, "VAULT_AGENT_ADDR=" + trap, "VAULT_PROXY_ADDR=" + trap, "VAULT_HTTP_PROXY=" + trap, "VAULT_REDIRECT_ADDR=" + trap,
		"VAULT_SRV_LOOKUP=true", "VAULT_TOKEN=hvs.of-the-environment", "VAULT_NAMESPACE=of-the-environment", "VAULT_CACERT=" + missing, "VAULT_CACERT_BYTES=x",
		"VAULT_CAPATH=" + missing, "VAULT_CLIENT_CERT=" + missing, "VAULT_CLIENT_KEY=" + missing, "VAULT_TLS_SERVER_NAME=elsewhere.example", "VAULT_SKIP_VERIFY=true",
		"VAULT_CLIENT_TIMEOUT=1ns", "VAULT_MAX_RETRIES=many", "VAULT_RATE_LIMIT=none", "VAULT_DISABLE_REDIRECTS=maybe", "VAULT_WRAP_TTL=1h", "VAULT_MFA=x", "VAULT_HEADERS={",
		"VAULT_LOG_LEVEL=trace", "VAULT_FORMAT=yaml", "VAULT_CLI_NO_COLOR=x", "VAULT_CONFIG_PATH=" + missing,

		"AWS_ENDPOINT_URL=" + trap, "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + trap, "AWS_ENDPOINT_URL_STS=" + trap, "AWS_ENDPOINT_URL_SSO=" + trap, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=perhaps",
		"AWS_CA_BUNDLE=" + missing, "AWS_USE_FIPS_ENDPOINT=maybe", "AWS_USE_DUALSTACK_ENDPOINT=maybe", "AWS_STS_REGIONAL_ENDPOINTS=legacy",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_RETRY_MODE=never", "AWS_MAX_ATTEMPTS=many", "AWS_DEFAULTS_MODE=none", "AWS_NEW_RETRIES_2026=true",
		"AWS_SDK_LOG_LEVEL=debug", "AWS_DEBUG=true", "AWS_CLIENT_LOG_MODE=all",
	}
}

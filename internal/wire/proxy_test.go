package wire_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/wire"
)

// canary is the password that the proxy wants.
const canary = "canary/pass:word@%"

// A proxy is an HTTP proxy that leads to one server, by whichever name it is
// asked for, and wants to know who asks.
type proxy struct {
	*httptest.Server
	backend string // host:port
	answer  int    // in place of service, if not 0

	mu    sync.Mutex
	asked []string // method, target and user
}

func newProxy(t *testing.T, backend *httptest.Server) *proxy {
	t.Helper()
	p := &proxy{backend: backend.Listener.Addr().String()}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// net/http reads a user from one header alone.
	from := &http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	user, password, _ := from.BasicAuth()
	p.mu.Lock()
	p.asked = append(p.asked, strings.TrimSpace(r.Method+" "+r.Host+" "+user))
	p.mu.Unlock()
	switch {
	case p.answer != 0:
		w.WriteHeader(p.answer)
		fmt.Fprint(w, r.Header)
	case user != "credsync" || password != canary:
		w.Header().Set("Proxy-Authenticate", "Basic")
		w.WriteHeader(http.StatusProxyAuthRequired)
		fmt.Fprint(w, r.Header)
	case r.Method == http.MethodConnect:
		p.tunnel(w)
	default:
		fmt.Fprint(w, "by the proxy")
	}
}

// tunnel joins the connection with one to the backend.
func (p *proxy) tunnel(w http.ResponseWriter) {
	there, err := net.Dial("tcp", p.backend)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	here, begun, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(there, begun); _ = there.Close() }()
	_, _ = io.Copy(here, there)
	_ = here.Close()
}

// noEnvironment takes away the proxies of whoever runs the tests.
func noEnvironment(t *testing.T) {
	t.Helper()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"} {
		t.Setenv(name, "")
	}
}

// secret keeps a secret where a Ref finds it.
func secret(t *testing.T, value string) credential.Ref {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return credential.Ref{File: path}
}

// A way is a peer that speaks TLS as *.example.com, behind a proxy.
type way struct {
	*testing.T
	proxy    *proxy
	settings wire.Settings
}

func newWay(t *testing.T) *way {
	t.Helper()
	noEnvironment(t)
	peer := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "by the peer, %v", r.Header["Proxy-Authorization"])
	}))
	peer.Config.ErrorLog = log.New(io.Discard, "", 0)
	peer.StartTLS()
	t.Cleanup(peer.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: peer.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, peer)
	return &way{t, p, wire.Settings{TLS: wire.TLS{CAFile: ca}, Proxy: wire.Proxy{URL: p.URL, Username: "credsync", Password: secret(t, canary)}}}
}

// get returns the body of what is at url, by connections of its own.
func (w *way) get(url string) (string, error) {
	w.Helper()
	if faults := w.settings.Faults(); len(faults) > 0 {
		w.Fatal(faults)
	}
	base, err := w.settings.Base()
	if err != nil {
		w.Fatal(err)
	}
	defer base.CloseIdleConnections()
	client := wire.NewClient(&wire.Transport{Base: base, Timeout: time.Minute, MaxBody: 1 << 10})
	resp, err := client.Get(url)
	if err != nil {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, errors.Unwrap(err)), "canary") {
			w.Errorf("the error shows the password: %v", err)
		}
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return string(body), nil
}

func (w *way) wantAsked(asked ...string) {
	w.Helper()
	w.proxy.mu.Lock()
	defer w.proxy.mu.Unlock()
	if diff := cmp.Diff(asked, w.proxy.asked); diff != "" {
		w.Errorf("the proxy was asked (-want +got):\n%s", diff)
	}
	w.proxy.asked = nil
}

// wantStopped wants url not to be reached, because of the proxy, for this reason.
func (w *way) wantStopped(url string, denied bool, reason string) {
	w.Helper()
	_, err := w.get(url)
	stopped, ok := errors.AsType[*wire.ProxyError](err)
	if !ok || stopped.Denied != denied || !strings.Contains(stopped.Error(), reason) {
		w.Errorf("got %v, want a ProxyError, denied %v, with %q", err, denied, reason)
	}
}

const peer = "https://peer.example.com/"

func TestAProxyIsGoneThrough(t *testing.T) {
	w := newWay(t)
	if got, err := w.get(peer); got != "by the peer, []" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	w.wantAsked("CONNECT peer.example.com:443 credsync")
	if got, err := w.get("http://peer.example.com/"); got != "by the proxy" || err != nil {
		t.Errorf("plain HTTP: got %q, %v", got, err)
	}
	w.wantAsked("GET peer.example.com credsync")
}

func TestTheEnvironmentsProxyIsTheDefault(t *testing.T) {
	w := newWay(t)
	proxy := w.settings.Proxy.URL
	w.settings.Proxy = wire.Proxy{}
	t.Setenv("HTTPS_PROXY", strings.Replace(proxy, "//", "//credsync:canary%2Fpass%3Aword%40%25@", 1))
	if got, err := w.get(peer); got != "by the peer, []" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	w.wantAsked("CONNECT peer.example.com:443 credsync")
	t.Setenv("HTTPS_PROXY", proxy)
	w.wantStopped(peer, true, "set proxy.url, proxy.username and proxy.password")
	t.Setenv("HTTPS_PROXY", "http://credsync:canary@pro xy")
	w.wantStopped(peer, false, "is proxy.url (or HTTPS_PROXY) right?")
}

func TestSomeHostsAreReachedWithoutTheProxy(t *testing.T) {
	w := newWay(t)
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "here") }))
	defer here.Close()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		_, port, _ := net.SplitHostPort(here.Listener.Addr().String())
		if got, err := w.get("http://" + net.JoinHostPort(host, port)); got != "here" || err != nil {
			t.Errorf("%s: got %q, %v", host, got, err)
		}
	}
	t.Setenv("NO_PROXY", "elsewhere.example.com,.invalid")
	if _, err := w.get("https://peer.invalid"); err == nil || !strings.Contains(err.Error(), "no such host") {
		t.Errorf("what NO_PROXY names: got %v", err)
	}
	w.wantAsked()
}

func TestThePasswordIsReadAnew(t *testing.T) {
	w := newWay(t)
	path := w.settings.Proxy.Password.File
	write := func(value string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	base, err := w.settings.Base()
	if err != nil {
		t.Fatal(err)
	}
	defer base.CloseIdleConnections()
	client := wire.NewClient(&wire.Transport{Base: base, Timeout: time.Minute, MaxBody: 1 << 10})
	for _, password := range []string{"canary-old", canary} {
		write(password)
		resp, err := client.Get(peer)
		if (err == nil) != (password == canary) {
			t.Errorf("got %v", err)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	w.wantStopped(peer, true, "proxy.password: "+path)
}

func TestWhatAProxyCanDo(t *testing.T) {
	w := newWay(t)
	for status, row := range map[int]struct {
		denied bool
		reason string
	}{
		407: {true, "(status 407)"},
		403: {true, "does not let us through (status 403); let it allow this host"},
		502: {false, "does not reach the host (status 502)"},
	} {
		w.proxy.answer = status
		w.wantStopped(peer, row.denied, row.reason)
	}
	w.proxy.answer = 407
	w.wantStopped("http://peer.example.com/", true, "(status 407)")
	w.proxy.answer, w.proxy.backend = 0, "127.0.0.1:1"
	w.wantStopped(peer, false, "does not reach the host (status 502)")

	w.settings.Proxy.URL = "http://127.0.0.1:1"
	w.wantStopped(peer, false, "nothing listens where the proxy should")
	w.settings.Proxy.URL = "http://proxy.invalid"
	w.wantStopped(peer, false, "the host of the proxy is not known")
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	w.settings.Proxy.URL, w.settings.TLS = secure.URL, wire.TLS{}
	w.wantStopped(peer, true, "the certificate of the proxy is not trusted")
}

func TestSettingsFaults(t *testing.T) {
	ref := credential.Ref{File: "x"}
	for name, tt := range map[string]struct {
		proxy wire.Proxy
		want  []string
	}{
		"none":                {wire.Proxy{}, nil},
		"the least":           {wire.Proxy{URL: "http://proxy:3128"}, nil},
		"all":                 {wire.Proxy{URL: "https://proxy/", Username: "a", Password: ref}, nil},
		"no URL":              {wire.Proxy{Username: "a", Password: ref}, []string{"proxy.url"}},
		"no scheme":           {wire.Proxy{URL: "proxy:3128"}, []string{"proxy.url"}},
		"another scheme":      {wire.Proxy{URL: "socks5://proxy"}, []string{"proxy.url"}},
		"a path":              {wire.Proxy{URL: "http://proxy/canary"}, []string{"proxy.url"}},
		"a password in it":    {wire.Proxy{URL: "http://a:canary@proxy"}, []string{"proxy.url"}},
		"no password":         {wire.Proxy{URL: "http://proxy", Username: "a"}, []string{"proxy.password"}},
		"a password alone":    {wire.Proxy{URL: "http://proxy", Password: ref}, []string{"proxy.username"}},
		"a colon in the name": {wire.Proxy{URL: "http://proxy", Username: "a:b", Password: ref}, []string{"proxy.username"}},
	} {
		var got []string
		faults := wire.Settings{Proxy: tt.proxy}.Faults()
		for _, f := range faults {
			got = append(got, f.Field)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || strings.Contains(fmt.Sprint(faults), "canary") {
			t.Errorf("%s: %v (-want +got):\n%s", name, faults, diff)
		}
	}
}

func TestAFileOfAuthoritiesHasToHoldSome(t *testing.T) {
	for name, path := range map[string]string{"not there": filepath.Join(t.TempDir(), "ca.pem"), "no PEM": secret(t, "canary").File, "a directory": t.TempDir()} {
		s := wire.TLS{CAFile: path}
		faults := s.FileFaults()
		_, err := wire.Settings{TLS: s}.Base()
		if err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v", name, err)
		}
		want := fault.List{{Field: "ca_file", Problem: strings.TrimPrefix(fmt.Sprint(err), "tls.ca_file "), Hint: "name a file of certificates that begin with -----BEGIN CERTIFICATE-----"}}
		if diff := cmp.Diff(want, faults); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Authorities that change in their file are taken up by another Base.
func TestABaseIsFreshWhileItsFileIs(t *testing.T) {
	w := newWay(t)
	base, err := w.settings.Base()
	if err != nil {
		t.Fatal(err)
	}
	if !base.Fresh() {
		t.Error("not fresh right after it was made")
	}
	if err := os.WriteFile(w.settings.TLS.CAFile, []byte("others"), 0o600); err != nil {
		t.Fatal(err)
	}
	if base.Fresh() {
		t.Error("fresh with other authorities in the file")
	}
	if plain, err := (wire.Settings{}).Base(); err != nil || !plain.Fresh() {
		t.Errorf("without a file: %v", err)
	}
}

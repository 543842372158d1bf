package e2e

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
)

// A tunnel is a CONNECT proxy that wants to know who asks, and leads to the
// servers of a test by the names that others have in the world.
type tunnel struct {
	*httptest.Server
	*world
	ca *authority

	mu       sync.Mutex
	password string
	places   map[string]string   // host:port of a server, by host
	asked    map[string]int      // by host
	signers  map[string][]string // access keys of AWS that requests were signed with, by host
}

// behindTunnel lets credsync reach nobody but through a tunnel.
func (w *world) behindTunnel(password string) *tunnel {
	w.Helper()
	t := &tunnel{
		world: w, ca: newAuthority(w.T), password: password,
		places: make(map[string]string), asked: make(map[string]int), signers: make(map[string][]string),
	}
	t.Server = httptest.NewServer(t)
	w.Cleanup(t.Close)
	w.write("ca.pem", t.ca.pem())
	w.write("proxy-password", password)
	return t
}

// settings are those by which a peer is reached through the tunnel.
func (t *tunnel) settings() settings {
	return settings{
		"proxy": settings{"url": t.URL, "username": "credsync", "password": file("proxy-password")},
		"tls":   settings{"ca_file": "ca.pem"},
	}
}

// leads makes the backend what is found at https://HOST.
func (t *tunnel) leads(backend string, hosts ...string) {
	t.Helper()
	u, err := url.Parse(backend)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range hosts {
		proxy := &httputil.ReverseProxy{
			Transport: &http.Transport{DisableKeepAlives: true}, ErrorLog: silent,
			Rewrite: func(r *httputil.ProxyRequest) {
				if _, key, ok := strings.Cut(r.In.Header.Get("Authorization"), "Credential="); ok {
					t.mu.Lock()
					t.signers[host] = append(t.signers[host], key[:strings.Index(key, "/")])
					t.mu.Unlock()
				}
				r.SetURL(u)
				r.Out.Host = r.In.Host
			},
		}
		if host == secretsHost {
			proxy.ModifyResponse = asJSON
		}
		front := httptest.NewUnstartedServer(proxy)
		front.Config.ErrorLog = silent
		front.EnableHTTP2 = true
		front.TLS = t.ca.serving(host)
		front.StartTLS()
		t.Cleanup(front.Close)
		t.places[host] = front.Listener.Addr().String()
	}
}

func (t *tunnel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// net/http reads a user from one header alone.
	from := &http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	user, password, _ := from.BasicAuth()
	t.mu.Lock()
	host, _, _ := strings.Cut(r.Host, ":")
	t.asked[host]++
	place, known := t.places[host]
	welcome := user == "credsync" && password == t.password
	t.mu.Unlock()
	switch {
	case !welcome:
		w.Header().Set("Proxy-Authenticate", "Basic")
		w.WriteHeader(http.StatusProxyAuthRequired)
		_, _ = io.WriteString(w, password)
		return
	case r.Method != http.MethodConnect || !known:
		w.WriteHeader(http.StatusForbidden)
		return
	}
	there, err := net.Dial("tcp", place)
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

// took returns how often connections to each host were asked for since it was
// last called, and which keys requests there were signed with.
func (t *tunnel) took() (asked map[string]int, signers map[string][]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	asked, signers = t.asked, t.signers
	t.asked, t.signers = make(map[string]int), make(map[string][]string)
	return asked, signers
}

package vaultkv

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/credsync/credsync/internal/sink/sinktest"
)

// A proxy stands between the sink and a Vault, real or not, counts the requests
// and makes them fail.
type proxy struct {
	URL     string
	forward http.Handler

	meet     func() (answer bool) // each request, if not nil
	mu       sync.Mutex
	failure  sinktest.Failure
	requests []string // method and path
	versions map[string]int
	bodies   map[string]string
}

func newProxy(t *testing.T, backend string) *proxy {
	t.Helper()
	u, err := url.Parse(backend)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(u)
	// One of its own: servers of httptest close the connections of the default
	// one when they end, whoever is using them.
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	forward.Transport = transport
	p := &proxy{forward: forward, versions: make(map[string]int), bodies: make(map[string]string)}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

func (p *proxy) fail(_ *testing.T, f sinktest.Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failure = f
}

func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.requests)
}

// since returns the requests after the first n.
func (p *proxy) since(n int) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.requests[n:]...)
}

// met notes the request and returns what it meets.
func (p *proxy) met(r *http.Request) (sinktest.Failure, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, r.Method+" "+r.URL.Path)
	if p.failure.Times == 0 || p.failure.WritesOnly && r.Method == http.MethodGet {
		return sinktest.Failure{}, false
	}
	p.failure.Times-- // from -1 on it is never 0 again
	return p.failure, true
}

// note counts what would be a version where the backend has none: bytes that
// differ from those before.
func (p *proxy) note(path, body string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bodies[path] != body {
		p.bodies[path] = body
		p.versions[path]++
	}
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	f, failing := p.met(r)
	p.mu.Lock()
	meet := p.meet
	p.mu.Unlock()
	if meet != nil && !meet() {
		f, failing = sinktest.Failure{Kind: sinktest.LostAnswer}, true
	}
	if !failing || f.Kind == sinktest.LostAnswer {
		if r.Method == http.MethodPut {
			p.note(r.URL.Path, string(body))
		}
		if failing {
			p.forward.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		p.forward.ServeHTTP(w, r)
		return
	}
	switch f.Kind {
	case sinktest.Denied:
		refuse(w, 403, "1 error occurred:\n\t* permission denied\n\n", string(body))
	case sinktest.Throttled:
		refuse(w, 429, "rate limit quota exceeded", string(body))
	case sinktest.Unavailable:
		refuse(w, 503, "no healthy upstream", string(body))
	case sinktest.Hang:
		<-r.Context().Done()
	default:
		fmt.Fprintf(w, "<html>%s %v %s</html>", r.URL, r.Header, body)
	}
}

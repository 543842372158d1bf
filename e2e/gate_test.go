package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// A guard sees each request that comes to a gate, by its name. It calls through
// once to have it served, or not at all, and reports whether the answer may go
// back: if not, the connection is cut. Guards run side by side.
type guard func(name string, through func()) (answer bool)

// A gate stands before a server: what credsync asks of it has to come through.
type gate struct {
	*httptest.Server
	proxy *httputil.ReverseProxy
	name  func(*http.Request) string

	mu     sync.Mutex
	target *url.URL
	calls  map[string]int    // by name
	broken int               // calls that the server did not serve
	before map[string]func() // what happens, once, before a request gets through
	guard  guard             // nil = all get through
}

// newGate returns a gate before the server at target. Name gives requests their
// names.
func newGate(t *testing.T, target string, name func(*http.Request) string) *gate {
	t.Helper()
	g := &gate{name: name, calls: make(map[string]int), before: make(map[string]func())}
	g.point(t, target)
	g.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			g.mu.Lock()
			defer g.mu.Unlock()
			r.SetURL(g.target)
			r.Out.Host = r.In.Host // AWS's requests are signed
		},
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode == http.StatusInternalServerError {
				g.breaks()
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			g.breaks()
			panic(http.ErrAbortHandler)
		},
	}
	g.Server = httptest.NewServer(http.HandlerFunc(g.serve))
	t.Cleanup(g.Close)
	return g
}

// point turns the gate to another server.
func (g *gate) point(t *testing.T, target string) {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.target = u
}

func (g *gate) serve(w http.ResponseWriter, r *http.Request) {
	name := g.name(r)
	g.mu.Lock()
	g.calls[name]++
	meanwhile, guard := g.before[name], g.guard
	delete(g.before, name)
	g.mu.Unlock()
	if meanwhile != nil {
		meanwhile()
	}
	if guard == nil {
		g.proxy.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	served := false
	if !guard(name, func() { served = true; g.proxy.ServeHTTP(answer, r) }) || !served {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // who does not read it is the one under test
}

// set puts a guard at the gate; nil takes it away.
func (g *gate) set(f guard) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.guard = f
}

// took returns the requests since it was last called, by name.
func (g *gate) took() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := maps.Clone(g.calls)
	clear(g.calls)
	g.broken = 0
	return n
}

func (g *gate) breaks() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.broken++
}

// unserved returns how many requests since took the server cut, or broke down
// over: moto, at times, reads its secrets while another thread adds one.
func (g *gate) unserved() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.broken
}

// vaultCall names a request to Vault by its method and area: "POST data".
func vaultCall(r *http.Request) string {
	parts := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/v1/"), "/", 3)
	if parts[0] == "secret" && len(parts) > 1 {
		return r.Method + " " + parts[1]
	}
	return r.Method + " " + parts[0]
}

// awsCall names a request to AWS by its operation.
func awsCall(r *http.Request) string {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return operation
}

// amazonCall names a request to Amazon: token, credentials or another last part
// of its path. A pair is proven where tokens are.
func amazonCall(r *http.Request) string {
	return r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
}

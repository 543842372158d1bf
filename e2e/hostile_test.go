package e2e

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A hostile stands before a peer. What it is armed for meets a reply that gives
// back all that was sent, and what the peer knows without being told; the rest
// goes through to the peer.
type hostile struct {
	*testing.T
	server  *httptest.Server
	names   func(r *http.Request, body []byte) string // what is asked, as "OPERATION SKILL"
	forward http.Handler
	knows   []string

	mu    sync.Mutex
	armed map[string]reply // by what is asked
	met   map[string]bool  // "OPERATION NAME-OF-REPLY"
	heard map[string]bool  // tokens that came with requests
}

// newHostile returns one before the peer at backend, which speaks TLS if secure.
func newHostile(t *testing.T, backend string, names func(*http.Request, []byte) string, secure bool) *hostile {
	t.Helper()
	u, err := url.Parse(backend)
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{T: t, names: names, armed: make(map[string]reply), met: make(map[string]bool), heard: make(map[string]bool)}
	transport := &http.Transport{DisableKeepAlives: true}
	h.forward = &httputil.ReverseProxy{Transport: transport, ErrorLog: silent, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(u)
		r.Out.Host = r.In.Host // it is signed
	}}
	h.server = httptest.NewUnstartedServer(h)
	h.server.Config.ErrorLog = silent
	if secure {
		h.server.StartTLS()
	} else {
		h.server.Start()
	}
	t.Cleanup(h.server.Close)
	return h
}

func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if strings.HasSuffix(r.URL.Path, "/moved") {
		h.Errorf("a redirect was followed: %s %s", r.Method, r.URL.Path)
	}
	asked := h.names(r, body)
	operation, _, _ := strings.Cut(asked, " ")
	h.mu.Lock()
	for _, token := range []string{r.Header.Get("X-Vault-Token"), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")} {
		h.heard[token] = true
	}
	p, fails := h.armed[asked]
	if fails {
		h.met[operation+": "+p.name] = true
		if p.times--; p.times == 0 {
			delete(h.armed, asked)
		} else {
			h.armed[asked] = p
		}
	}
	h.mu.Unlock()
	if !fails {
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.forward.ServeHTTP(w, r)
		return
	}
	conn, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		h.Error(err)
		return
	}
	defer conn.Close()
	_, _ = buffered.WriteString(p.raw(h.echo(r, body))) // who is gone, is gone
	_ = buffered.Flush()
	if p.lingers {
		_, _ = io.Copy(io.Discard, conn) // until the client has seen enough
	}
}

// echo is all that a request said, as it came and decoded, and all that the peer
// knows.
func (h *hostile) echo(r *http.Request, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL)
	_ = r.Header.Write(&b) // to memory
	fmt.Fprintf(&b, "%s\n", body)
	if form, err := url.ParseQuery(string(body)); err == nil {
		for _, key := range slices.Sorted(maps.Keys(form)) {
			fmt.Fprintf(&b, "%s: %s\n", key, form.Get(key))
		}
	}
	return b.String() + strings.Join(h.knows, "\n")
}

// arm makes one request meet p from now on.
func (h *hostile) arm(asked string, p reply) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.armed[asked] = p
}

func (h *hostile) disarm() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.armed)
}

// tokens are those that requests came with.
func (h *hostile) tokens() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.heard, "")
	return slices.Collect(maps.Keys(h.heard))
}

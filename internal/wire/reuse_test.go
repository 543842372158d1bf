package wire_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/credsync/credsync/internal/wire"
)

// A hub is a server that answers when all its callers are there, so that each
// needs a connection of its own.
type hub struct {
	*httptest.Server
	here   atomic.Pointer[sync.WaitGroup]
	opened atomic.Int32
}

func newHub(t *testing.T) *hub {
	h := &hub{}
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		all := h.here.Load()
		all.Done()
		all.Wait()
	}))
	h.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			h.opened.Add(1)
		}
	}
	h.Start()
	t.Cleanup(h.Close)
	return h
}

func TestEachCallerKeepsAConnectionToEachHost(t *testing.T) {
	const callers, rounds = 64, 3
	client := &http.Client{Transport: wire.NewBase()}
	defer client.CloseIdleConnections()
	hubs := []*hub{newHub(t), newHub(t)} // as Amazon's API and Login with Amazon
	for range rounds {
		for _, h := range hubs {
			all := &sync.WaitGroup{}
			all.Add(callers)
			h.here.Store(all)
			var done sync.WaitGroup
			for range callers {
				done.Go(func() {
					resp, err := client.Get(h.URL)
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				})
			}
			done.Wait()
		}
	}
	for i, h := range hubs {
		if got := h.opened.Load(); got > callers*3/2 { // a few are opened while one comes free
			t.Errorf("host %d: %d callers opened %d connections in %d rounds", i, callers, got, rounds)
		}
	}
}

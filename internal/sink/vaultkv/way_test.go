package vaultkv

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
)

// A proxy that stands in the way is named, with the way out. Asking again helps
// where it may be a moment's trouble, and nowhere else.
func TestAProxyInTheWay(t *testing.T) {
	for status, want := range map[int]struct {
		err   error
		tries int32
		text  string
	}{
		407: {sink.ErrDenied, 1, "set proxy.url, proxy.username and proxy.password"},
		403: {sink.ErrDenied, 1, "name the host in NO_PROXY"},
		503: {sink.ErrUnavailable, maxTries, "the proxy does not reach the host (status 503)"},
	} {
		var asked atomic.Int32
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			w.Header().Set("Echo", r.Header.Get("Proxy-Authorization"))
			w.WriteHeader(status)
		}))
		t.Cleanup(proxy.Close)
		s := &stand{t: t}
		s.config = Config{
			Address: "https://vault.example.com", Path: "{skill_id}", Auth: Auth{Token: s.file("canary-token")},
			Proxy: wire.Proxy{URL: proxy.URL, Username: "credsync", Password: s.file("canary-password")},
		}
		_, err := s.open().Inspect(t.Context(), name)
		if !errors.Is(err, want.err) || !strings.Contains(err.Error(), want.text) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%d: got %v, want %v with %q", status, err, want.err, want.text)
		}
		if asked.Load() != want.tries {
			t.Errorf("%d: the proxy was asked %d times, want %d", status, asked.Load(), want.tries)
		}
	}
}

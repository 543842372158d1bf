package smapi

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/credsync/credsync/internal/source"
)

// These run over real connections: what the fake transport can't show.

func serve(t *testing.T, api http.HandlerFunc) *Source {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /auth/o2/token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, goodToken)
	})
	mux.HandleFunc("/v1/", api)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c := config(t)
	c.APIURL, c.TokenURL = server.URL, server.URL+"/auth/o2/token"
	if faults := c.Faults(); len(faults) > 0 {
		t.Fatal(faults)
	}
	s, err := Open(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.CloseIdleConnections)
	return s
}

func TestFetchOverHTTP(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, goodPair) })
	fetchOK(t, s)
}

func TestRedirectsNeverCarryTheTokenAway(t *testing.T) {
	var visits atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		visits.Add(1)
		fmt.Fprint(w, goodPair)
	}))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		var calls atomic.Int32
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			target := elsewhere.URL + r.URL.Path
			if status == 303 {
				target = "/v1/same-host"
			}
			http.Redirect(w, r, target, status)
		})
		_, err := s.Fetch(t.Context(), skill)
		wantErr(t, err, source.ErrInvalid)
		if calls.Load() != 1 || visits.Load() != 0 {
			t.Errorf("%d: got %d calls and %d visits elsewhere, want 1 and 0", status, calls.Load(), visits.Load())
		}
	}
}

func TestACompressedBombIsRefused(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 4 {
		fmt.Fprint(z, strings.Repeat(" ", 1<<20))
	}
	z.Close()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	_, err := s.Fetch(t.Context(), skill)
	wantErr(t, err, source.ErrInvalid)
}

func TestAConnectionThatIsCutIsUnavailable(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(goodPair)))
		fmt.Fprint(w, goodPair[:50])
		panic(http.ErrAbortHandler)
	})
	_, err := s.Fetch(t.Context(), skill)
	wantErr(t, err, source.ErrUnavailable)
}

package loopback_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/loopback"
)

// free returns a URL on loopback where nobody listens.
func free(t *testing.T) *url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return &url.URL{Scheme: "http", Host: l.Addr().String(), Path: "/cb"}
}

func listen(t *testing.T, at *url.URL) *loopback.Listener {
	t.Helper()
	l, err := loopback.Listen(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// browse asks as a browser does, and returns status, headers and page.
func browse(t *testing.T, method, to, host string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

// judge takes the query that says so.
func judge(heard *[]url.Values) func(url.Values) loopback.Verdict {
	return func(q url.Values) loopback.Verdict {
		*heard = append(*heard, q)
		switch {
		case q.Get("state") != "ours":
			return loopback.Stray
		case q.Has("error"):
			return loopback.Refused
		}
		return loopback.Granted
	}
}

func TestItWaitsForTheAnswerAndNoOther(t *testing.T) {
	for name, last := range map[string]struct{ query, page string }{
		"granted": {"?state=ours&code=CANARY", "has arrived. Go back"},
		"refused": {"?state=ours&error=access_denied&error_description=CANARY", "it is no"},
	} {
		t.Run(name, func(t *testing.T) {
			at := free(t)
			l := listen(t, at)
			var heard []url.Values
			done := make(chan error, 1)
			go func() { done <- l.Wait(t.Context(), judge(&heard)) }()

			for _, stray := range []struct {
				method, to, host string
				status           int
			}{
				{"GET", at.String() + "?state=theirs&code=CANARY", at.Host, 400},
				{"GET", at.String(), at.Host, 400},
				{"GET", "http://" + at.Host + "/favicon.ico?state=ours", at.Host, 404},
				{"GET", at.String() + "?state=ours&code=CANARY", "elsewhere.example", 404},
				{"POST", at.String() + "?state=ours&code=CANARY", at.Host, 405},
			} {
				status, _, page := browse(t, stray.method, stray.to, stray.host)
				if status != stray.status || strings.Contains(page, "CANARY") {
					t.Errorf("%s %s to %s: %d, want %d\n%s", stray.method, stray.to, stray.host, status, stray.status, page)
				}
			}
			status, header, page := browse(t, "GET", at.String()+last.query, at.Host)
			if status != 200 || !strings.Contains(page, last.page) || strings.Contains(page, "CANARY") {
				t.Errorf("%d %s", status, page)
			}
			if header.Get("Cache-Control") != "no-store" || header.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
				t.Errorf("headers %v", header)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if len(heard) != 3 {
				t.Errorf("heard %v", heard)
			}
			listen(t, at).Close() // the address is free again
		})
	}
}

func TestTheEndOfTheContextEndsTheWait(t *testing.T) {
	at := free(t)
	l := listen(t, at)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Wait(ctx, func(url.Values) loopback.Verdict { return loopback.Granted }); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	listen(t, at).Close()
}

func TestAnAddressThatIsTaken(t *testing.T) {
	at := free(t)
	defer listen(t, at).Close()
	if _, err := loopback.Listen(t.Context(), at); !errors.Is(err, loopback.ErrBusy) {
		t.Errorf("err = %v", err)
	}
}

func TestWhereItCanWait(t *testing.T) {
	for text, want := range map[string]bool{
		"http://127.0.0.1:9090/cb": true, "http://localhost:9090/": true, "http://[::1]:9090/cb": true,
		"https://127.0.0.1:9090/cb": false, "http://127.0.0.1/cb": false, "http://127.0.0.1:0/cb": false, "http://example.com:9090/cb": false, "cb": false,
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := loopback.Possible(u); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

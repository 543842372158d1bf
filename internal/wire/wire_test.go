package wire_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/wire"
)

// trip is a RoundTripper in one function.
type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body io.Reader) trip {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
	}
}

func get(t *testing.T, tr *wire.Transport, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return wire.NewClient(tr).Do(req)
}

func TestBodyLimit(t *testing.T) {
	const limit = 1000
	readers := map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "with the end": iotest.DataErrReader, "halves": iotest.HalfReader,
	}
	for name, wrap := range readers {
		for _, size := range []int{0, 1, limit - 1, limit, limit + 1, limit + 2, 100 * limit} {
			t.Run(fmt.Sprint(size, " ", name), func(t *testing.T) {
				sent := bytes.Repeat([]byte("x"), size)
				resp, err := get(t, &wire.Transport{Base: answer(200, wrap(bytes.NewReader(sent))), Timeout: time.Minute, MaxBody: limit}, "http://x.example/")
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				got, err := io.ReadAll(resp.Body)
				if want := min(size, limit); len(got) != want {
					t.Errorf("got %d bytes, want %d", len(got), want)
				}
				if tooLarge := errors.Is(err, wire.ErrBodyTooLarge); tooLarge != (size > limit) || !tooLarge && err != nil {
					t.Errorf("got error %v for %d bytes", err, size)
				}
				if _, err := resp.Body.Read(make([]byte, 1)); size > limit && !errors.Is(err, wire.ErrBodyTooLarge) {
					t.Errorf("got %v on reading on", err)
				}
			})
		}
	}
}

func TestBodyLimitIsAfterDecompression(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		_, _ = z.Write(make([]byte, 1<<20))
	}))
	defer server.Close()
	base := wire.NewBase()
	defer base.CloseIdleConnections()
	resp, err := get(t, &wire.Transport{Base: base, Timeout: time.Minute, MaxBody: 64 << 10}, server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, wire.ErrBodyTooLarge) {
		t.Errorf("got %v", err)
	}
}

// slow gives a byte each second, as long as its context lives.
type slow struct{ ctx context.Context }

func (s slow) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = 'x'
		return 1, nil
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
}

// wantTimeout wants an attempt over base to end with its time.
func wantTimeout(t *testing.T, base http.RoundTripper) {
	t.Helper()
	start := time.Now()
	resp, err := get(t, &wire.Transport{Base: base, Timeout: 15 * time.Second, MaxBody: 1 << 20}, "http://x.example/")
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v", err)
	}
	if took := time.Since(start); took != 15*time.Second {
		t.Errorf("ended after %v, want 15 s", took)
	}
}

func TestTimeoutCoversTheBody(t *testing.T) {
	for name, base := range map[string]trip{
		"no header": func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
		"slow body": func(r *http.Request) (*http.Response, error) { return answer(200, slow{r.Context()})(r) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wantTimeout(t, base)
			})
		})
	}
}

func TestAClosedBodyLeavesNoTimer(t *testing.T) {
	var ctx context.Context
	base := trip(func(r *http.Request) (*http.Response, error) {
		ctx = r.Context()
		return answer(200, strings.NewReader("x"))(r)
	})
	resp, err := get(t, &wire.Transport{Base: base, Timeout: time.Hour, MaxBody: 1}, "http://x.example/")
	if err != nil {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Error("the attempt was over before its body was read")
	}
	resp.Body.Close()
	if ctx.Err() == nil {
		t.Error("the attempt's timer runs on")
	}
	base = func(r *http.Request) (*http.Response, error) {
		ctx = r.Context()
		return nil, errors.New("gone")
	}
	if resp, err := get(t, &wire.Transport{Base: base, Timeout: time.Hour, MaxBody: 1}, "http://x.example/"); err == nil {
		resp.Body.Close()
		t.Error("no error")
	}
	if ctx.Err() == nil {
		t.Error("the timer of an attempt without an answer runs on")
	}
}

func TestRedirectsAreHandedBack(t *testing.T) {
	var mu sync.Mutex
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		paths = append(paths, r.URL.Path)
		mu.Unlock()
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(int(r.URL.Path[1]-'0')*100 + int(r.URL.Path[2]-'0')*10 + int(r.URL.Path[3]-'0'))
	}))
	defer server.Close()
	base := wire.NewBase()
	defer base.CloseIdleConnections()
	for _, status := range []int{301, 302, 303, 307, 308} {
		resp, err := get(t, &wire.Transport{Base: base, Timeout: time.Minute, MaxBody: 1 << 10}, fmt.Sprint(server.URL, "/", status))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("got %d, want %d", resp.StatusCode, status)
		}
	}
	if diff := cmp.Diff(paths, []string{"/301", "/302", "/303", "/307", "/308"}); diff != "" {
		t.Error(diff)
	}
}

func TestObserverHearsEachAttemptOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type heard struct {
			Target, Operation string
			Status            int
			Took              time.Duration
		}
		var got []heard
		n := 0
		tr := &wire.Transport{
			Target: "peer", Operation: func(r *http.Request) string { return r.URL.Path }, Timeout: time.Minute, MaxBody: 10,
			Observe: func(target, operation string, status int, took time.Duration) {
				got = append(got, heard{target, operation, status, took})
			},
			Base: trip(func(r *http.Request) (*http.Response, error) {
				n++
				time.Sleep(time.Duration(n) * time.Second)
				if n == 2 {
					return nil, errors.New("gone")
				}
				return answer(200+n, slow{r.Context()})(r)
			}),
		}
		for range 3 {
			if resp, err := get(t, tr, "http://x.example/p"); err == nil {
				_, _ = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
		}
		tr.Operation = nil
		if resp, err := get(t, tr, "http://x.example/p"); err == nil {
			resp.Body.Close()
		}
		want := []heard{{"peer", "/p", 201, time.Second}, {"peer", "/p", 0, 2 * time.Second}, {"peer", "/p", 203, 3 * time.Second}, {"peer", "GET", 204, 4 * time.Second}}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Error(diff)
		}
	})
}

func TestANilObserverIsAllowed(*testing.T) {
	wire.Observer(nil).Observe("a", "b", 200, time.Second)
}

type closer struct {
	trip
	closed bool
}

func (c *closer) CloseIdleConnections() { c.closed = true }

func TestCloseIdleConnections(t *testing.T) {
	base := &closer{}
	wire.NewClient(&wire.Transport{Base: base}).CloseIdleConnections()
	if !base.closed {
		t.Error("the call did not reach the base")
	}
	wire.NewClient(&wire.Transport{Base: trip(nil)}).CloseIdleConnections() // a base without it
}

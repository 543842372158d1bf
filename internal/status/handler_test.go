package status

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/syncer"
)

// ask makes a request as somebody who calls us by an address.
func ask(h http.Handler, method, target, host string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Host = host
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(h http.Handler, target string) *httptest.ResponseRecorder {
	return ask(h, http.MethodGet, target, "127.0.0.1:9464")
}

var paths = []string{"/healthz", "/readyz", "/metrics", "/api/status", "/", "/nothing"}

func page() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { plain(w, 200, "page") })
}

func TestTheReportComesAsJSON(t *testing.T) {
	b := board()
	run(b, syncer.Options{}, slices.Concat(both(1, syncer.Created, ""), both(2, syncer.Failed, syncer.Denied), both(3, syncer.Unchanged, ""))...)
	h := Handler(b, Options{})
	filter := Filter{Sink: "vault", Outcome: []syncer.Outcome{syncer.Failed}, Text: "alexa", Limit: 10}
	w := get(h, "/api/status?"+filter.Query().Encode())
	var got Report
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v %v", w.Code, w.Header(), err)
	}
	want := b.Report(filter)
	got.Now, want.Now = time.Time{}, time.Time{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(got.Skills.Items) != 1 || got.Skills.Total != 3 {
		t.Errorf("got %+v, want one of three", got.Skills)
	}
	w = get(h, "/api/status?"+url.Values{"outcome": {"gone"}, "limit": {"many"}}.Encode())
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"gone"`) || !strings.Contains(w.Body.String(), `"many"`) {
		t.Errorf("got %d %q, want 400 and both faults", w.Code, w.Body)
	}
}

func TestOnlyReadingIsServed(t *testing.T) {
	h := Handler(board(), Options{Page: page()})
	for _, path := range paths {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"} {
			if w := ask(h, method, path, "localhost"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: got %d, want 405", method, path, w.Code)
			}
		}
		if w := ask(h, http.MethodHead, path, "localhost"); w.Code != 200 {
			t.Errorf("HEAD %s: got %d", path, w.Code)
		}
	}
}

func TestANameThatIsNotOursIsRefused(t *testing.T) {
	h := Handler(board(), Options{Hosts: []string{"credsync.monitoring.svc", "Host-1"}, Page: page()})
	for host, ok := range map[string]bool{
		"127.0.0.1": true, "127.0.0.1:9464": true, "[::1]:9464": true, "[::1]": true, "localhost": true, "LOCALHOST:80": true, "localhost.": true,
		"demo.localhost": true, "10.1.2.3:9464": true, "[fd00::1%eth0]:9464": true,
		"credsync.monitoring.svc:9464": true, "CREDSYNC.monitoring.svc.": true, "host-1": true,
		"": false, "evil.example": false, "evil.example:9464": false, "127.0.0.1.evil.example": false, "localhost.evil.example": false,
		"notlocalhost": false, "monitoring.svc": false, "x.credsync.monitoring.svc": false, "[evil.example]:80": false,
	} {
		for _, path := range paths {
			w := ask(h, http.MethodGet, path, host)
			if (w.Code != http.StatusMisdirectedRequest) != ok {
				t.Errorf("%s as %q: got %d", path, host, w.Code)
			}
			if !ok && !strings.Contains(w.Body.String(), "http.allowed_hosts") {
				t.Errorf("%q does not name the way out", w.Body)
			}
		}
	}
}

func TestEveryAnswerHasStrictHeaders(t *testing.T) {
	h := Handler(board(), Options{Page: page()})
	for _, path := range append(paths, "/api/status?limit=x") {
		for _, host := range []string{"localhost", "evil.example"} {
			got := ask(h, http.MethodGet, path, host).Header()
			for name, value := range headers {
				if got.Get(name) != value {
					t.Errorf("%s: %s is %q", path, name, got.Get(name))
				}
			}
		}
	}
	for _, word := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(headers["Content-Security-Policy"], word) {
			t.Errorf("%s is missing", word)
		}
	}
	if w := get(Handler(board(), Options{}), "/"); w.Code != http.StatusNotFound {
		t.Errorf("got %d without a page, want 404", w.Code)
	}
}

// A fickle trail fails as it is told.
type fickle struct{ err error }

func (f *fickle) Err() error { return f.err }

func TestReadyMeansConfigurationTrailAndRunsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBoard(Build{})
		h := Handler(b, Options{})
		want := func(path string, code int, says string) {
			t.Helper()
			if w := get(h, path); w.Code != code || !strings.Contains(w.Body.String(), says) {
				t.Errorf("%s: got %d %q, want %d with %q", path, w.Code, w.Body, code, says)
			}
		}
		want("/readyz", 503, "no configuration")
		want("/healthz", 200, "ok")

		trail := &fickle{}
		s := settings("vault")
		s.Trail = trail
		b.Configure(s)
		want("/readyz", 200, "ok")
		trail.err = errors.New("audit.jsonl: no space left on device")
		want("/readyz", 503, "no space left")
		want("/healthz", 200, "ok") // a restart frees no disk
		trail.err = nil

		next := time.Now().Add(time.Hour)
		b.Waiting("production", next)
		time.Sleep(time.Hour + grace)
		want("/readyz", 200, "ok")
		time.Sleep(time.Second)
		want("/readyz", 503, "job production: the run that was due at "+next.UTC().Format(time.RFC3339)+" has not begun")
		want("/healthz", 200, "ok")
		time.Sleep(stuckAfter)
		want("/healthz", 503, "has not begun")

		w := b.Begin("production", syncer.Options{}) // late, but it goes on
		want("/readyz", 200, "ok")
		time.Sleep(s.Jobs[0].Timeout + grace)
		want("/readyz", 200, "ok")
		time.Sleep(time.Second)
		want("/readyz", 503, "has not ended, 5m1s after its timeout")
		if !b.Report(Filter{}).Jobs[0].Overdue {
			t.Error("the job does not show as overdue")
		}
		time.Sleep(stuckAfter)
		want("/healthz", 503, "has not ended")
		w.End(syncer.Summary{Err: errors.New("no list")})
		b.Waiting("production", time.Now().Add(time.Hour))
		want("/readyz", 200, "ok") // that it failed is for alerts: a restart or another replica would fail too
		b.Waiting("production", time.Time{})
		time.Sleep(1000 * time.Hour)
		want("/readyz", 200, "ok")
	})
}

// The wall clock may be set. What is due by it alone, or by the other alone, is
// not late: the loop goes by the wall clock, after it has looked.
func TestASetClockMakesNothingLate(t *testing.T) {
	now := time.Now()
	for name, tt := range map[string]struct {
		next, due time.Time
		late      bool
	}{
		"set forward, or slept":   {now.Add(-5 * time.Hour), now.Add(time.Hour), false},
		"set back":                {now.Add(time.Hour), now.Add(-5 * time.Hour), false},
		"late by both":            {now.Add(-time.Hour), now.Add(-time.Hour), true},
		"as late as is no matter": {now.Add(-grace), now.Add(-grace), false},
	} {
		if got := (&job{next: tt.next, due: tt.due}).late(now) > 0; got != tt.late {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

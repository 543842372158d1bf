package awssm

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
)

// A proxy that stands in the way, be it to Secrets Manager or to STS, is named,
// with the way out. Asking again helps where it may be a moment's trouble, and
// nowhere else.
func TestAProxyInTheWay(t *testing.T) {
	plainEnvironment(t)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("canary-password"), 0o600); err != nil {
		t.Fatal(err)
	}
	for status, want := range map[int]struct {
		err   error
		tries int32
		text  string
	}{
		407: {sink.ErrDenied, 1, "set proxy.url, proxy.username and proxy.password"},
		403: {sink.ErrDenied, 1, "name the host in NO_PROXY"},
		503: {sink.ErrUnavailable, attempts, "the proxy does not reach the host (status 503)"},
	} {
		for _, role := range []string{"", roleARN} {
			var asked atomic.Int32
			host := ""
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				host = r.Host
				w.Header().Set("Echo", r.Header.Get("Proxy-Authorization"))
				w.WriteHeader(status)
			}))
			t.Cleanup(proxy.Close)
			c := testConfig("")
			c.RoleARN, c.Proxy = role, wire.Proxy{URL: proxy.URL, Username: "credsync", Password: credential.Ref{File: password}}
			_, err := openTest(t, c).Inspect(t.Context(), name)
			wantError(t, err, want.err)
			wantNoCanary(t, err, []string{"canary-password"})
			if err == nil || !strings.Contains(err.Error(), want.text) {
				t.Errorf("%d: got %v, want %q in it", status, err, want.text)
			}
			service := "secretsmanager."
			if role != "" {
				service = "sts."
			}
			if asked.Load() != want.tries || host != service+"eu-west-1.amazonaws.com:443" {
				t.Errorf("%d: the proxy was asked %d times for %s, want %d times for %s", status, asked.Load(), host, want.tries, service)
			}
		}
	}
}

package awssm

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credsync/credsync/internal/sink/sinktest"
)

// A gate stands between the sink and a backend, the fake or moto: it counts
// requests and makes them fail.
type gate struct {
	backend http.Handler
	// instead, if not nil, may answer in place of the backend; it reports
	// whether it did.
	instead func(w http.ResponseWriter, r *http.Request) bool

	mu       sync.Mutex
	failure  sinktest.Failure
	requests int
}

// open starts a server of g that lives as long as t.
func (g *gate) open(t *testing.T) (url string) {
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return server.URL
}

func (g *gate) fail(_ *testing.T, f sinktest.Failure) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failure = f
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.requests
}

// next counts a request and tells whether and how it fails.
func (g *gate) next(operation string) (kind sinktest.FailureKind, fails bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests++
	reads := operation == "DescribeSecret" || operation == "ListSecrets"
	if g.failure.Times == 0 || g.failure.WritesOnly && reads {
		return 0, false
	}
	if g.failure.Times > 0 {
		g.failure.Times--
	}
	return g.failure.Kind, true
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	kind, fails := g.next(operationOf(r))
	echo := fmt.Sprintf("%s %v", body, r.Header)
	switch {
	case g.instead != nil && g.instead(w, r):
	case !fails:
		g.backend.ServeHTTP(w, r)
	case kind == sinktest.Denied:
		answerError(w, http.StatusBadRequest, "AccessDeniedException", echo)
	case kind == sinktest.Throttled:
		answerError(w, http.StatusBadRequest, "ThrottlingException", echo)
	case kind == sinktest.Unavailable:
		answerError(w, http.StatusInternalServerError, "InternalServiceError", echo)
	case kind == sinktest.Garbage:
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, "<html>%s</html>", echo)
	case kind == sinktest.Hang:
		<-r.Context().Done()
	case kind == sinktest.LostAnswer:
		g.backend.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
}

// The identity that tests use: no text may ever hold a part of it.
const (
	testKeyID   = "AKIACANARYKEYID00001"
	testKey     = "canary/SecretAccessKey+0123456789abcdefghij"
	testSession = "canarySessionToken/0123456789abcdefghijklmnopqrstuvwxyz=="
)

// plainEnvironment takes all AWS_* variables away and sets the identity.
func plainEnvironment(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	} {
		t.Setenv(name, "")
	}
	none := t.TempDir() + "/none"
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ACCESS_KEY_ID", testKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", testKey)
	t.Setenv("AWS_SESSION_TOKEN", testSession)
}

// soon is a delay between attempts that tests can wait for.
type soon struct{}

func (soon) BackoffDelay(int, error) (time.Duration, error) { return time.Millisecond, nil }

func testConfig(endpoint string) Config {
	return Config{Region: "eu-west-1", Name: "alexa/{skill_id}", EndpointURL: endpoint}
}

// openTest returns a sink on endpoint that doesn't wait long between attempts.
func openTest(t *testing.T, c Config) *Sink {
	t.Helper()
	s, err := Open(c, Options{delay: soon{}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// foreignTags returns the tags of a secret that isn't ours.
func foreignTags(name, owner string) map[string]string {
	if owner == "" {
		return map[string]string{"team": "other"}
	}
	_, skill, _ := strings.Cut(name, "/")
	return map[string]string{tagOwner: owner, tagSkill: skill}
}

package awssm

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/sink"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A body that writes itself would now and then cost a connection and a second
// attempt.
func TestPlainBodies(t *testing.T) {
	base := new(http.Transport)
	base.RegisterProtocol("test", roundTrip(func(r *http.Request) (*http.Response, error) {
		if _, ok := r.Body.(io.WriterTo); ok {
			t.Error("the body is an io.WriterTo")
		}
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	}))
	for _, body := range []io.Reader{strings.NewReader("{}"), nil} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "test://host/", body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := plainBodies{base}.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

// What can't be reached is named by the keys that lead there.
func TestNobodyListens(t *testing.T) {
	r := newIdentityRig(t)
	r.config.EndpointURL = "http://127.0.0.1:1"
	r.wantUnreached(t, "nothing listens at the endpoint (endpoint_url, or that of region)")
	r.config.RoleARN, r.options.sts = roleARN, "http://127.0.0.1:1"
	r.wantUnreached(t, "nothing listens at the endpoint of STS")
	r.config.RoleARN, r.config.EndpointURL = "", "http://credsync.invalid"
	r.wantUnreached(t, "the host of the endpoint (endpoint_url, or that of region) is not known")
}

func TestPlainHTTPToAnotherHostIsAdvisedAgainst(t *testing.T) {
	plainEnvironment(t)
	for endpoint, want := range map[string]int{"http://0.0.0.0:1": 1, "http://127.0.0.1:1": 0, "https://127.0.0.1:1": 0} {
		advice, err := openTest(t, testConfig(endpoint)).Check(t.Context())
		wantError(t, err, sink.ErrUnavailable)
		if len(advice) != want {
			t.Errorf("%s: got advice %q", endpoint, advice)
		}
	}
}

func (r *identityRig) wantUnreached(t *testing.T, text string) {
	t.Helper()
	err := r.inspect(t)
	wantError(t, err, sink.ErrUnavailable)
	if err != nil && !strings.Contains(err.Error(), text) {
		t.Errorf("got %q, want %q in it", err, text)
	}
}

package awssm

import (
	"io"
	"net/http"
	"strings"
	"testing"
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

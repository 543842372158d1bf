package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// An ask is one request to a server, past credsync.
type ask struct {
	method, url string
	header      map[string]string
	body        any // sent as JSON, or as it is if bytes; nil = none
}

// do sends a and decodes the answer, if it is JSON, into out, if that is not nil.
func (a ask) do(t *testing.T, out any) (status int) {
	t.Helper()
	body, ok := a.body.([]byte)
	if a.body != nil && !ok {
		var err error
		if body, err = json.Marshal(a.body); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), a.method, a.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range a.header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if out != nil && len(answer) > 0 {
		if err := json.Unmarshal(answer, out); err != nil && resp.StatusCode < 300 {
			t.Fatalf("%s %s: %v", a.method, a.url, err)
		}
	}
	return resp.StatusCode
}

// must is do for what has to succeed.
func (a ask) must(t *testing.T, out any) {
	t.Helper()
	var raw json.RawMessage
	if status := a.do(t, &raw); status >= 300 {
		t.Fatalf("%s %s: %d %s", a.method, a.url, status, raw)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			t.Fatalf("%s %s: %v", a.method, a.url, err)
		}
	}
}

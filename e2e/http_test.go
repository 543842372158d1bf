package e2e

import (
	"bytes"
	"crypto/tls"
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

func (a ask) do(t *testing.T) (status int, answer []byte) {
	t.Helper()
	body, ok := a.body.([]byte)
	if a.body != nil && !ok {
		body = []byte(encode(t, a.body))
	}
	req, err := http.NewRequestWithContext(t.Context(), a.method, a.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range a.header {
		req.Header.Set(k, v)
	}
	client := http.DefaultClient
	if req.URL.Scheme == "https" { // a server of the test's own
		client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// may decodes the answer into out, which stays as it is where a failed.
func (a ask) may(t *testing.T, out any) {
	t.Helper()
	if status, answer := a.do(t); status < http.StatusMultipleChoices {
		decode(t, answer, out)
	}
}

// must is may for what has to succeed.
func (a ask) must(t *testing.T, out any) {
	t.Helper()
	status, answer := a.do(t)
	if status >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %d %s", a.method, a.url, status, tail(string(answer)))
	}
	decode(t, answer, out)
}

func decode(t *testing.T, answer []byte, out any) {
	t.Helper()
	if out == nil {
		return
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatalf("%v in %s", err, tail(string(answer)))
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

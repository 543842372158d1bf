package notify

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
)

const key = "whsec_plJ3nmyCDGBKInavdOK15jsl"

var event = Event{
	ID: "0197a1b2-0000-7000-8000-000000000001", Instance: "prod", Job: "voice", Time: time.Unix(1_700_000_000, 0),
	Occasions: []Occasion{Changed, Failed}, Data: json.RawMessage(`{"job":"voice"}`),
}

// keep writes a secret into a file and returns the reference to it.
func keep(t *testing.T, secret string) credential.Ref {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return credential.Ref{File: path}
}

// answering lets handler answer w without a network, so that time can be false.
func answering(w *Webhook, handler http.HandlerFunc) *Webhook {
	w.client.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
		rec := httptest.NewRecorder()
		handler(rec, req)
		return rec.Result(), nil
	})
	return w
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// The vector is the one that Svix publishes with how to verify by hand.
func TestASignatureIsThatOfStandardWebhooks(t *testing.T) {
	got, err := sign(credential.NewSecret(key), "msg_loFOjxBNrRLzqYUf", "1731705121", []byte(`{"event_type":"ping","data":{"success":true}}`))
	if want := "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="; err != nil || got != want {
		t.Errorf("signature %s, %v; want %s", got, err, want)
	}
	for _, bad := range []string{"too-little", "whsec_%%%", "whsec_c2hvcnQ="} {
		if _, err := sign(credential.NewSecret(bad), "id", "0", nil); err == nil || strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestAWebhookGetsASignedCloudEvent(t *testing.T) {
	var got map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		h := req.Header
		if want, err := sign(credential.NewSecret(key), event.ID, h.Get("webhook-timestamp"), body); err != nil || h.Get("webhook-signature") != want {
			t.Errorf("signature %s, want %s, %v", h.Get("webhook-signature"), want, err)
		}
		for header, want := range map[string]string{
			"webhook-id": event.ID, "Authorization": "Bearer token-1", "Content-Type": "application/cloudevents+json; charset=utf-8",
		} {
			if h.Get(header) != want {
				t.Errorf("%s: %s, want %s", header, h.Get(header), want)
			}
		}
	}))
	defer server.Close()
	w := NewWebhook(WebhookConfig{URL: server.URL, Key: keep(t, key), Token: keep(t, "token-1")}, nil)
	if err := w.Deliver(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"specversion": "1.0", "id": event.ID, "source": "/credsync/prod", "type": "com.github.credsync.run.finished", "subject": "voice",
		"time": "2023-11-14T22:13:20Z", "datacontenttype": "application/json", "data": map[string]any{"job": "voice"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAWebhookIsTriedAgainWhereThatCanHelp(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []int // the last one stays
		after   string
		tries   int
		least   time.Duration
		fault   string
	}{
		{name: "at once", answers: []int{204}, tries: 1},
		{name: "down for a moment", answers: []int{503, 500, 200}, tries: 3, least: 2 * time.Second},
		{name: "throttled", answers: []int{429, 200}, after: "90", tries: 2, least: 90 * time.Second},
		{name: "refused", answers: []int{403}, tries: 1, fault: "the webhook answered with status 403"},
		{name: "gone", answers: []int{410}, tries: 1, fault: "the webhook answered with status 410"},
		{name: "moved", answers: []int{308}, tries: 1, fault: "it has moved; correct notify.webhook.url"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				w := answering(NewWebhook(WebhookConfig{URL: "https://hooks.example.com/canary"}, nil), func(rw http.ResponseWriter, _ *http.Request) {
					rw.Header().Set("Retry-After", c.after)
					rw.WriteHeader(c.answers[min(tries, len(c.answers)-1)])
					_, _ = io.WriteString(rw, "canary")
					tries++
				})
				begin := time.Now()
				err := w.Deliver(t.Context(), event)
				if tries != c.tries || time.Since(begin) < c.least {
					t.Errorf("%d tries in %s, want %d in %s at least", tries, time.Since(begin), c.tries, c.least)
				}
				if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) || strings.Contains(fmt.Sprint(err), "canary") {
					t.Errorf("error %v, want %q", err, c.fault)
				}
			})
		})
	}
}

func TestAWebhookThatStaysDownIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		w := answering(NewWebhook(WebhookConfig{URL: "https://hooks.example.com/"}, nil), func(rw http.ResponseWriter, _ *http.Request) {
			tries++
			rw.WriteHeader(http.StatusBadGateway)
		})
		begin := time.Now()
		err := w.Deliver(t.Context(), event)
		took := time.Since(begin)
		if err == nil || took > persistence || took < persistence/2 || tries < 15 || tries > 40 {
			t.Errorf("%d tries in %s: %v", tries, took, err)
		}
	})
}

// What can't be reached, and what answers with what it should not, is told
// without the URL or the answer: both may hold what nobody else should see.
func TestAFailingWebhookSaysNothingSecret(t *testing.T) {
	hang := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		conn, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 canary\r\nCanary: canary\r\nContent-Length: 100\r\n\r\ncanary")
		_ = conn.Close()
	}))
	defer hang.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, url := range []string{closed.URL + "/canary?canary", "https://no-such-host.invalid/canary", hang.URL + "/canary"} {
		w := NewWebhook(WebhookConfig{URL: url, Token: keep(t, "canary")}, nil)
		for _, err := range []error{w.post(t.Context(), "id", nil), w.post(t.Context(), "id\ncanary", []byte("canary"))} {
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("%v", err)
			}
		}
	}
	missing := NewWebhook(WebhookConfig{URL: hang.URL, Key: credential.Ref{File: "/no/such/key"}}, nil)
	if err := missing.Deliver(t.Context(), event); err == nil || !strings.Contains(err.Error(), "notify.webhook.key: /no/such/key: no such file") {
		t.Errorf("error %v", err)
	}
}

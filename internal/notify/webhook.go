package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/wire"
)

const (
	attemptTime = 10 * time.Second
	persistence = 15 * time.Minute // with a receiver that is down
	maxAnswer   = 64 << 10         // of which nothing is used
	minKey      = 16               // bytes
)

// A WebhookConfig describes a receiver that is posted to.
type WebhookConfig struct {
	// URL is where events are posted to, by HTTPS; plain HTTP works for this
	// host alone.
	URL string `yaml:"url"`
	// Key is where a key is kept that events are signed with, as Standard Webhooks
	// lays down: whsec_ and base64, or the bytes as they are. It is read anew
	// for each event. Default: events are not signed.
	Key credential.Ref `yaml:"key,omitempty"`
	// Token is where a token is kept that is sent as Authorization: Bearer.
	Token credential.Ref `yaml:"token,omitempty"`
	// On lists the occasions: changed, refused, failed. Default: all three.
	On []Occasion `yaml:"on,omitempty"`
}

// Faults returns what is wrong with c. It reads no file and asks nobody. It
// never repeats the URL: many receivers hide a password in it.
func (c WebhookConfig) Faults() fault.List {
	var l fault.List
	u, ok := wire.ParseURL(c.URL)
	switch {
	case c.URL == "":
		l.Add("url", "missing", "set it to where events are to be posted")
	case !ok:
		l.Add("url", "not an absolute URL", "write it as https://host/path")
	case u.User != nil:
		l.Add("url", "holds a user name or password", "remove it; token names a file with a bearer token")
	case u.Scheme == "http" && !wire.Loopback(u.Hostname()):
		l.Add("url", "plain http to another host would show names of skills and sinks to everybody on the way", "use https; http works for localhost alone")
	case u.Scheme != "http" && u.Scheme != "https":
		l.Add("url", fmt.Sprintf("%q is not a scheme that works here", u.Scheme), "use https")
	}
	l.Within("on", occasionFaults(c.On))
	return l
}

// A Webhook posts events as CloudEvents 1.0 in JSON (structured mode of their
// HTTP binding). With a key it signs them by HMAC-SHA256 as Standard Webhooks
// has it: headers webhook-id, webhook-timestamp and webhook-signature.
type Webhook struct {
	config WebhookConfig
	client *http.Client
}

// NewWebhook returns the receiver that c describes, which has no faults.
func NewWebhook(c WebhookConfig, observe wire.Observer) *Webhook {
	if len(c.On) == 0 {
		c.On = occasions
	}
	t := &wire.Transport{Base: wire.NewBase(), Target: "webhook", Timeout: attemptTime, MaxBody: maxAnswer, Observe: observe}
	return &Webhook{config: c, client: wire.NewClient(t)}
}

// Wants reports whether e has one of the occasions.
func (w *Webhook) Wants(e Event) bool { return e.on(w.config.On) }

// Deliver posts e, again after 1, 2, 4 … 60 s with jitter while the receiver is
// down, throttles or is not there, for a quarter of an hour. Each attempt has the
// same webhook-id and a time and a signature of its own.
func (w *Webhook) Deliver(ctx context.Context, e Event) error {
	defer w.client.CloseIdleConnections() // the next event is hours away
	body, err := cloudEvent(e)
	if err != nil {
		return err
	}
	var last error
	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		last = w.post(ctx, e.ID, body)
		return struct{}{}, last
	}, backoff.WithBackOff(slower()), backoff.WithMaxElapsedTime(persistence))
	if err != nil && ctx.Err() != nil && !errors.Is(last, err) {
		return fmt.Errorf("%w before another try; the last one: %w", err, last)
	}
	return err
}

func slower() backoff.BackOff {
	return &backoff.ExponentialBackOff{InitialInterval: time.Second, MaxInterval: time.Minute, Multiplier: 2, RandomizationFactor: 0.25}
}

// post makes one attempt.
func (w *Webhook) post(ctx context.Context, id string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.config.URL, bytes.NewReader(body))
	if err != nil {
		return backoff.Permanent(errors.New("notify.webhook.url is not a URL"))
	}
	req.Header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	req.Header.Set("User-Agent", "credsync")
	if err := w.authorize(req, id, body); err != nil {
		return backoff.Permanent(err)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return unreached(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection can be used again
	return judge(resp)
}

// judge makes an error of what is no success. 2xx is, and nothing else.
func judge(resp *http.Response) error {
	err := fmt.Errorf("the webhook answered with status %d", resp.StatusCode)
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return backoff.Permanent(fmt.Errorf("%w: it has moved; correct notify.webhook.url, redirects are not followed", err))
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests:
		if wait := wire.RetryAfter(resp.Header); wait > 0 {
			return fmt.Errorf("%w: %w", err, &backoff.RetryAfterError{Duration: wait})
		}
		return err
	}
	return backoff.Permanent(err)
}

// authorize signs req and adds the token.
func (w *Webhook) authorize(req *http.Request, id string, body []byte) error {
	if !w.config.Token.IsZero() {
		token, err := w.config.Token.Read()
		if err != nil {
			return fmt.Errorf("notify.webhook.token: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	if w.config.Key.IsZero() {
		return nil
	}
	key, err := w.config.Key.Read()
	if err != nil {
		return fmt.Errorf("notify.webhook.key: %w", err)
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	signature, err := sign(key, id, at, body)
	if err != nil {
		return fmt.Errorf("notify.webhook.key: %w", err)
	}
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", at)
	req.Header.Set("webhook-signature", signature)
	return nil
}

// sign returns the signature of body (Standard Webhooks: symmetric, v1).
func sign(key credential.Secret, id, at string, body []byte) (string, error) {
	k := []byte(key.Reveal())
	if encoded, ok := strings.CutPrefix(string(k), "whsec_"); ok {
		var err error
		if k, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return "", errors.New("what follows whsec_ is not base64; copy the key anew")
		}
	}
	if len(k) < minKey {
		return "", fmt.Errorf("shorter than %d bytes; make one with: openssl rand -base64 32", minKey)
	}
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// unreached says why no answer came. The error of the HTTP client is not
// repeated: it holds the URL.
func unreached(err error) error {
	timeout, isNet := errors.AsType[net.Error](err)
	_, unknown := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("the webhook was not reached: %w", context.Canceled)
	case unknown:
		return errors.New("the host of the webhook is not known")
	case isNet && timeout.Timeout():
		return errors.New("no answer from the webhook in time")
	}
	return errors.New("no connection to the webhook")
}

// cloudEvent returns e as a CloudEvent (CloudEvents 1.0.2, JSON format).
func cloudEvent(e Event) ([]byte, error) {
	return json.Marshal(struct {
		SpecVersion string          `json:"specversion"`
		ID          string          `json:"id"`
		Source      string          `json:"source"`
		Type        string          `json:"type"`
		Subject     string          `json:"subject"`
		Time        string          `json:"time"`
		ContentType string          `json:"datacontenttype"`
		Data        json.RawMessage `json:"data"`
	}{
		"1.0", e.ID, "/credsync/" + e.Instance, "com.github.credsync.run.finished", e.Job,
		e.Time.UTC().Format(time.RFC3339), "application/json", e.Data,
	})
}

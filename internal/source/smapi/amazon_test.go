package smapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/credsync/credsync/internal/credential"
)

const (
	skill     = credential.SkillID("amzn1.ask.skill.01234567-89ab-cdef-0123-456789abcdef")
	pairID    = "amzn1.application-oa2-client.0123456789abcdef0123456789abcdef"
	pairKey   = "amzn1.oa2-cs.v1.0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	ourID     = "amzn1.application-oa2-client.ffffeeeeddddccccbbbbaaaa99998888"
	ourKey    = "amzn1.oa2-cs.v1.c11e57a5c11e57a5c11e57a5c11e57a5c11e57a5c11e57a5c11e57a5c11e57a5"
	ourToken  = "Atzr|IwEBIConfiguredRefreshTokenOfTheOperator"
	goodPair  = `{"skillMessagingCredentials":{"clientId":"` + pairID + `","clientSecret":"` + pairKey + `"}}`
	goodToken = `{"access_token":"Atza|IwEBIFirst","refresh_token":"` + ourToken + `","token_type":"bearer","expires_in":3600}`
)

// A reply is what a fake peer does with one request.
type reply struct {
	status int
	body   string
	header map[string]string
	err    error // no answer at all
	hang   bool  // no answer until the request's context ends
	cut    bool  // the body ends early
}

func ok(body string) reply { return reply{status: 200, body: body} }

// Amazon is a fake of both peers. The functions get the number of the request,
// from 1, and may be nil: then all is well.
type amazon struct {
	api func(n int, r *http.Request) reply
	lwa func(n int, form url.Values) reply

	mu       sync.Mutex
	unclosed int      // bodies of answers
	apiCalls []string // path and query
	bearers  []string
	lwaCalls []url.Values
	forms    []*http.Request
}

func (a *amazon) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := a.answer(r)
	if err == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.unclosed++
		resp.Body = &watched{resp.Body, sync.OnceFunc(func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.unclosed--
		})}
	}
	return resp, err
}

// watched is a body that tells of its first Close.
type watched struct {
	io.Reader
	closed func()
}

func (w *watched) Close() error {
	w.closed()
	return nil
}

func (a *amazon) answer(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if strings.HasSuffix(r.URL.Path, "/auth/o2/token") {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		form, err := url.ParseQuery(string(b))
		if err != nil {
			return nil, err
		}
		a.mu.Lock()
		a.lwaCalls = append(a.lwaCalls, form)
		a.forms = append(a.forms, r)
		n := len(a.lwaCalls)
		a.mu.Unlock()
		if a.lwa == nil {
			return ok(fmt.Sprintf(`{"access_token":"Atza|token-%d","token_type":"bearer","expires_in":3600}`, n)).response(r)
		}
		return a.lwa(n, form).response(r)
	}
	a.mu.Lock()
	a.apiCalls = append(a.apiCalls, r.URL.RequestURI())
	a.bearers = append(a.bearers, r.Header.Get("Authorization"))
	n := len(a.apiCalls)
	a.mu.Unlock()
	if a.api == nil {
		return ok(goodPair).response(r)
	}
	return a.api(n, r).response(r)
}

func (p reply) response(r *http.Request) (*http.Response, error) {
	if p.hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	if p.err != nil {
		return nil, p.err
	}
	h := http.Header{"Content-Type": {"application/json"}}
	for k, v := range p.header {
		h.Set(k, v)
	}
	var body io.Reader = strings.NewReader(p.body)
	if p.cut {
		body = io.MultiReader(body, broken{})
	}
	return &http.Response{StatusCode: p.status, Status: fmt.Sprint(p.status), Header: h, Body: io.NopCloser(body), Request: r}, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func (a *amazon) calls() (api, lwa int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.apiCalls), len(a.lwaCalls)
}

// secretFile writes v where a Ref can read it.
func secretFile(t *testing.T, v string) credential.Ref {
	t.Helper()
	f := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(f, []byte(v+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return credential.Ref{File: f}
}

// config is fast, so that tests in real time do not wait for the pace.
func config(t *testing.T) Config {
	t.Helper()
	return Config{
		ClientID: ourID, ClientSecret: secretFile(t, ourKey), RefreshToken: secretFile(t, ourToken),
		RequestsPerSecond: 1000, MaxRequestsPerSecond: 1000,
	}
}

// open returns a source on a, all of whose answers it has to close.
func (a *amazon) open(t *testing.T) *Source {
	t.Helper()
	t.Cleanup(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.unclosed > 0 {
			t.Errorf("%d bodies were left open", a.unclosed)
		}
	})
	return open(config(t), Options{}, a)
}

// always answers every request of the API alike.
func always(p reply) *amazon {
	return &amazon{api: func(int, *http.Request) reply { return p }}
}

// lwaAlways answers every request of LWA alike.
func lwaAlways(p reply) *amazon {
	return &amazon{lwa: func(int, url.Values) reply { return p }}
}

// wantErr checks that err is of the class want and none other.
func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want one that is %q", err, want)
	}
}

// shown is all the ways in which err could come to somebody's eyes.
func shown(err error) string {
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb+"\n", err)
		for e := err; e != nil; e = errors.Unwrap(e) {
			fmt.Fprintf(&b, verb+"\n", e)
		}
	}
	for _, enc := range []zapcore.Encoder{
		zapcore.NewJSONEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()),
	} {
		log := zap.New(zapcore.NewCore(enc, zapcore.AddSync(&b), zap.DebugLevel))
		log.Error("it", zap.Error(err), zap.Any("any", err), zap.Reflect("reflect", err))
		log.Sugar().Errorf("%v %+v", err, err)
	}
	return b.String()
}

var _ http.RoundTripper = (*amazon)(nil)

package emulator_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/credsync/credsync/internal/emulator"
)

func inject(t *testing.T, a *emulator.Amazon, f emulator.Fault) {
	t.Helper()
	if err := a.Inject(f); err != nil {
		t.Fatal(err)
	}
}

func TestEveryStatusOfSMAPI(t *testing.T) {
	tests := []struct {
		fault   emulator.Fault
		status  int
		bare    string
		wrapped string
	}{
		{emulator.Fault{Status: 400}, 400, `{"message":"Request is not valid.","violations":[{"message":"Request is not valid."}]}`, `{"error":{"message":"Request is not valid.","violations":[{"message":"Request is not valid."}]}}`},
		{emulator.Fault{Status: 401}, 401, `{"message":"Token is invalid/expired."}`, `{"error":{"message":"Token is invalid/expired."}}`},
		{emulator.Fault{Status: 403, Code: "DENIED_FEATURE_ACCESS"}, 403, `{"code":"DENIED_FEATURE_ACCESS","message":"User is not authorized to access this operation."}`, `{"error":{"code":"DENIED_FEATURE_ACCESS","message":"User is not authorized to access this operation."}}`},
		{emulator.Fault{Status: 404}, 404, `{"code":"RESOURCE_NOT_FOUND","message":"The resource is not found."}`, `{"error":{"code":"RESOURCE_NOT_FOUND","message":"The resource is not found."}}`},
		{emulator.Fault{Status: 429}, 429, `{"message":"We are experiencing heavy traffic at the moment. Please try again later."}`, `{"error":{"message":"We are experiencing heavy traffic at the moment. Please try again later."}}`},
		{emulator.Fault{RetryAfter: "7"}, 429, `{"message":"We are experiencing heavy traffic at the moment. Please try again later."}`, `{"error":{"message":"We are experiencing heavy traffic at the moment. Please try again later."}}`},
		{emulator.Fault{Status: 500}, 500, `{"message":"An unexpected error occurred."}`, `{"error":{"message":"An unexpected error occurred."}}`},
		{emulator.Fault{Status: 503, RetryAfter: "Fri, 31 Dec 2027 23:59:59 GMT"}, 503, `{"message":"The service is temporarily unavailable."}`, `{"error":{"message":"The service is temporarily unavailable."}}`},
		{emulator.Fault{Status: 418}, 418, `{"message":"I'm a teapot"}`, `{"error":{"message":"I'm a teapot"}}`},
	}
	c := newClient(t, emulator.Options{Skills: 1})
	path, access := credentialsPath(c.Skills()[0]), c.access()
	for _, tt := range tests {
		for body, want := range map[emulator.Body]string{
			"": tt.bare, emulator.BodyBare: tt.bare, emulator.BodyWrapped: tt.wrapped, emulator.BodyEmpty: "",
		} {
			f := tt.fault
			f.Body = body
			inject(t, c.Amazon, f)
			resp := c.get(path, access)
			if got := resp.Body; resp.StatusCode != tt.status || got != want || resp.Header.Get("Retry-After") != f.RetryAfter {
				t.Errorf("%d %q: got %d %s\nwant %s", tt.status, body, resp.StatusCode, got, want)
			}
			if challenged := resp.Header.Get("WWW-Authenticate") != ""; challenged != (tt.status == 401) {
				t.Errorf("%d: WWW-Authenticate is there: %v", tt.status, challenged)
			}
		}
	}
	if got := c.Requests().Count(emulator.OpCredentials, 401); got != 4 {
		t.Errorf("%d 401 counted, want 4", got)
	}
}

func TestEveryErrorOfLWA(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 1})
	tests := []struct {
		fault emulator.Fault
		want  string
	}{
		{emulator.Fault{Status: 400}, "invalid_grant"},
		{emulator.Fault{Status: 400, Operation: emulator.OpVerify}, "invalid_scope"},
		{emulator.Fault{Status: 401, Operation: emulator.OpVerify}, "invalid_client"},
		{emulator.Fault{Status: 401}, "invalid_client"},
		{emulator.Fault{Status: 403}, "access_denied"},
		{emulator.Fault{Status: 429, RetryAfter: "3"}, "slow_down"},
		{emulator.Fault{Status: 400, Code: "unauthorized_client"}, "unauthorized_client"},
		{emulator.Fault{Status: 400, Code: "authorization_pending"}, "authorization_pending"},
		{emulator.Fault{Status: 500}, ""},
		{emulator.Fault{Status: 503}, ""},
	}
	for _, tt := range tests {
		inject(t, c.Amazon, tt.fault)
		form := c.refreshForm()
		if tt.fault.Operation == emulator.OpVerify {
			form = verifyForm(mustPair(t, c.Amazon, c.Skills()[0]))
		}
		var got refusal
		read(t, c.form(form), tt.fault.Status, &got)
		if got.Error != tt.want || (got.Description == "") != (tt.want == "") {
			t.Errorf("%+v: got %+v", tt.fault, got)
		}
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 1})
	id, access := c.Skills()[0], c.access()
	client := mustPair(t, c.Amazon, id).ClientID
	for body, want := range map[emulator.Body]string{
		emulator.BodyEmpty:     "",
		emulator.BodyNull:      "null",
		emulator.BodyEmptyPair: `{"skillMessagingCredentials":{"clientId":"","clientSecret":""}}`,
		emulator.BodyHalfPair:  `{"skillMessagingCredentials":{"clientId":"` + client + `"}}`,
		emulator.BodyEcho:      "Bearer " + access + "\n",
	} {
		inject(t, c.Amazon, emulator.Fault{Body: body})
		resp := c.get(credentialsPath(id), access)
		if got := resp.Body; resp.StatusCode != 200 || got != want {
			t.Errorf("%s: got %d %s, want %s", body, resp.StatusCode, got, want)
		}
	}
	inject(t, c.Amazon, emulator.Fault{Body: emulator.BodyHTML})
	if resp := c.get(credentialsPath(id), access); !strings.HasPrefix(resp.Body, "<!DOCTYPE html>") || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("got %v", resp.Header)
	}
	inject(t, c.Amazon, emulator.Fault{Location: "http://192.0.2.1/"})
	if resp := c.get(credentialsPath(id), access); resp.StatusCode != 302 || resp.Header.Get("Location") != "http://192.0.2.1/" {
		t.Errorf("got %d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
}

func TestAFaultMeetsWhatItNamesAsOftenAsItSays(t *testing.T) {
	c := newClient(t, emulator.Options{Skills: 2})
	ids, access := c.Skills(), c.access()
	status := func(i int) int { return c.get(credentialsPath(ids[i]), access).StatusCode }

	inject(t, c.Amazon, emulator.Fault{Operation: emulator.OpCredentials, Skill: ids[0], Status: 500, Count: 2})
	inject(t, c.Amazon, emulator.Fault{Operation: emulator.OpCredentials, Status: 503})
	inject(t, c.Amazon, emulator.Fault{Skill: ids[1], Status: 429, Count: -1})
	for i, want := range []int{500, 500, 503, 200} {
		if got := status(0); got != want {
			t.Errorf("request %d: %d, want %d", i, got, want)
		}
	}
	for range 5 {
		if got := status(1); got != 429 {
			t.Errorf("got %d, want 429 until cleared", got)
		}
	}
	pair := verifyForm(mustPair(t, c.Amazon, ids[1]))
	if got := c.form(pair).StatusCode; got != 429 {
		t.Errorf("verifying the skill's pair: %d, want 429", got)
	}
	if n := len(c.Faults()); n != 1 {
		t.Errorf("%d faults left, want 1", n)
	}
	c.ClearFaults()
	if got := status(1); got != 200 {
		t.Errorf("cleared: %d", got)
	}
}

func TestFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	c := newClient(t, emulator.Options{})
	for _, f := range []emulator.Fault{
		{},
		{Operation: "x", Status: 500},
		{Status: 99},
		{Status: 600},
		{Body: "x"},
		{Delivery: "x"},
		{Delay: -1},
		{Code: "invalid_grant"},
		{Code: "invalid_grant", Status: 200},
	} {
		if err := c.Inject(f); err == nil {
			t.Errorf("%+v was taken", f)
		}
	}
}

func TestADelayHoldsTheTrueAnswerBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, emulator.Options{})
		access := c.access()
		inject(t, c.Amazon, emulator.Fault{Delay: 3 * time.Second})
		start := time.Now()
		if got := c.get("/v1/vendors", access).StatusCode; got != 200 || time.Since(start) != 3*time.Second {
			t.Errorf("%d after %v", got, time.Since(start))
		}
		inject(t, c.Amazon, emulator.Fault{Delivery: emulator.DeliverSlow})
		start = time.Now()
		resp := c.get("/v1/vendors", access)
		if body := resp.Body; !strings.HasSuffix(body, "}") || time.Since(start) != 10*time.Second {
			t.Errorf("%s after %v", body, time.Since(start))
		}
	})
}

func TestConnectionsThatEndTooEarly(t *testing.T) {
	a := emulator.New(emulator.Options{})
	server := httptest.NewServer(a)
	defer server.Close()
	get := func() (*http.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/vendors", nil)
		if err != nil {
			t.Fatal(err)
		}
		return server.Client().Do(req)
	}

	t.Run("reset", func(t *testing.T) {
		inject(t, a, emulator.Fault{Delivery: emulator.DeliverReset})
		resp, err := get()
		if err == nil {
			resp.Body.Close()
		}
		if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
			t.Errorf("err = %v, want a reset", err)
		}
	})
	t.Run("cut", func(t *testing.T) {
		inject(t, a, emulator.Fault{Delivery: emulator.DeliverCut, Status: 200, Body: emulator.BodyHTML})
		resp, err := get()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if !errors.Is(err, io.ErrUnexpectedEOF) || int64(len(body)) >= resp.ContentLength || len(body) == 0 {
			t.Errorf("%d of %d bytes, err = %v", len(body), resp.ContentLength, err)
		}
	})
	t.Run("hang", func(t *testing.T) {
		inject(t, a, emulator.Fault{Delivery: emulator.DeliverHang})
		impatient := &http.Client{Timeout: 50 * time.Millisecond, Transport: server.Client().Transport}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/auth/o2/token", strings.NewReader("a=b"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := impatient.Do(req)
		if err == nil {
			resp.Body.Close()
			t.Error("there was an answer")
		}
	})
	if got, want := a.Requests().ByOperation[emulator.OpVendors][0]+a.Requests().ByOperation[emulator.OpToken][0], 2; got != want {
		t.Errorf("%d requests without an answer counted, want %d", got, want)
	}
}

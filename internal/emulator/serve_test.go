package emulator_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credsync/credsync/internal/emulator"
)

func serve(t *testing.T, a *emulator.Amazon) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s, err := emulator.Serve(ctx, "", a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	})
	return s.URL
}

func TestServeListensOnLoopbackUnlessAsked(t *testing.T) {
	for listen, want := range map[string]string{"": "http://127.0.0.1:", ":0": "http://127.0.0.1:", "localhost:0": "http://127.0.0.1:", "0.0.0.0:0": "http://127.0.0.1:"} {
		ctx, stop := context.WithCancel(t.Context())
		s, err := emulator.Serve(ctx, listen, emulator.New(emulator.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(s.URL, want) {
			t.Errorf("%q: URL %s", listen, s.URL)
		}
		stop()
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	}
}

func TestServeFailsWhereItCantListen(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, listen := range []string{l.Addr().String(), "nonsense"} {
		if _, err := emulator.Serve(t.Context(), listen, emulator.New(emulator.Options{})); err == nil {
			t.Errorf("Serve on %s gave no error", listen)
		}
	}
}

func TestServeStopsWhileAFaultHoldsAnAnswerUp(t *testing.T) {
	a := emulator.New(emulator.Options{})
	inject(t, a, emulator.Fault{Delivery: emulator.DeliverSlow, Delay: time.Hour})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s, err := emulator.Serve(ctx, "", a)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/vendors", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req) // returns with the header, while the body is under way
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	stop()
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the body came whole")
	}
}

// What Amazon's SDK for Node sends, byte for byte: a chunked form with nothing
// escaped in it to a path with a capital O, then a request with few headers.
func TestAClientLikeAmazonsSDK(t *testing.T) {
	a := emulator.New(emulator.Options{Skills: 1})
	id := a.Skills()[0]
	addr := strings.TrimPrefix(serve(t, a), "http://")
	form := "grant_type=refresh_token&client_secret=" + a.ClientSecret().Reveal() + "&client_id=" + a.ClientID() + "&refresh_token=" + a.RefreshToken().Reveal()
	body := exchange(t, addr, fmt.Sprintf("POST /auth/O2/token HTTP/1.1\r\nContent-type: application/x-www-form-urlencoded\r\nHost: %s\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", addr, len(form), form))
	_, access, ok := strings.Cut(body, `"access_token":"`)
	access, _, _ = strings.Cut(access, `"`)
	if !ok || !strings.HasPrefix(access, "Atza|") {
		t.Fatalf("token request answered with %s", body)
	}
	body = exchange(t, addr, fmt.Sprintf("GET %s HTTP/1.1\r\nUser-Agent: ask-node-model/1.24.0 Node/v20.20.2\r\nAuthorization: Bearer %s\r\nHost: %s\r\nConnection: close\r\n\r\n", credentialsPath(id), access, addr))
	if want := mustPair(t, a, id).ClientSecret.Reveal(); !strings.Contains(body, want) {
		t.Errorf("credentials request answered with %s", body)
	}
}

func exchange(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 ")) {
		t.Fatalf("answer %s", answer)
	}
	return string(answer)
}

func TestManyAskWhileMuchChanges(t *testing.T) {
	a := emulator.New(emulator.Options{Skills: 20, Rate: 5000, Burst: 50})
	c := client{t, a}
	access := c.access()
	ids := a.Skills()
	var asking sync.WaitGroup
	for n := range 8 {
		asking.Go(func() {
			for i := range 200 {
				c.get(credentialsPath(ids[i%len(ids)]), access)
				switch (i + n) % 8 {
				case 0:
					a.RotateNext(2)
				case 1:
					a.Remove(a.Add(1)...)
				case 2:
					_ = a.Inject(emulator.Fault{Status: 503, Count: 2})
				case 3:
					c.do("GET", "http://localhost/emulator/requests?last=10", "")
				case 4:
					a.SetRate(4000, 20, true)
				case 5:
					c.form(c.refreshForm())
				case 6:
					a.Pair(ids[i%len(ids)])
				case 7:
					c.get("/v1/skills?vendorId="+a.Vendor(), access)
				}
			}
		})
	}
	asking.Wait()
	if got := a.Requests(); got.Count(emulator.OpCredentials) != 1600 || got.MaxConcurrent < 1 || got.MaxConcurrent > 8 {
		t.Errorf("%d requests counted, at most %d at once", got.Count(emulator.OpCredentials), got.MaxConcurrent)
	}
}

package status

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/syncer"
)

// serve serves a Board over real connections, and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(Handler(board(), Options{}))
	go func() { _ = s.Serve(l) }() // it ends with the test
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

// raw sends text as it is, and returns the first line of the answer.
func raw(t *testing.T, address, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() { _, _ = io.WriteString(conn, text) }() // the server may not want to hear the end
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(line)
}

func TestTheServerHasBounds(t *testing.T) {
	s := NewServer(nil)
	for name, d := range map[string]int64{
		"header": int64(s.ReadHeaderTimeout), "read": int64(s.ReadTimeout), "write": int64(s.WriteTimeout), "idle": int64(s.IdleTimeout),
		"header size": int64(s.MaxHeaderBytes),
	} {
		if d <= 0 {
			t.Errorf("no limit: %s", name)
		}
	}
	address := serve(t)
	for text, want := range map[string]string{
		"GET /healthz HTTP/1.1\r\nHost: " + address + "\r\n\r\n":                                                "200",
		"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n":                                                   "421",
		"GET http://evil.example/healthz HTTP/1.1\r\nHost: " + address + "\r\n\r\n":                             "421",
		"GET /healthz HTTP/1.1\r\n\r\n":                                                                         "400",
		"GET /healthz HTTP/1.0\r\n\r\n":                                                                         "421",
		"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n":                                                   "400",
		"GET /healthz HTTP/1.1\r\nHost: " + address + "\r\nX: " + strings.Repeat("x", 2*maxHeader) + "\r\n\r\n": "431",
	} {
		if got := raw(t, address, text); !strings.HasPrefix(got, "HTTP/1.") || !strings.Contains(got, " "+want+" ") {
			t.Errorf("%.60q: got %q, want %s", text, got, want)
		}
	}
}

// Who opens connections and says nothing takes those of others like him, not
// the file descriptors of runs.
func TestConnectionsAreBounded(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	var server []net.Conn
	for range maxConnections {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		server = append(server, <-accepted)
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	select {
	case <-accepted:
		t.Errorf("more than %d connections at once", maxConnections)
	default:
	}
	_ = server[0].Close()
	if (<-accepted) == nil {
		t.Error("the next is not taken when one has gone")
	}
	for _, c := range server[1:] {
		_ = c.Close()
	}
}

// Texts of peers and names of skills come out as data, whatever is in them.
func TestHostileTextsStayData(t *testing.T) {
	b := board()
	r := result(1, "vault", "failed", "denied")
	r.Label, r.Name, r.Error = `</script><script>alert(1)</script>`, "a\x00\x01\"\n} 1\ncredsync_up 1", "<img src=x>\u2028\xff\n"
	run(b, syncer.Options{}, r)
	h := Handler(b, Options{})
	w := get(h, "/api/status")
	if body := w.Body.String(); strings.ContainsAny(strings.TrimSpace(body), "<>\x00\n\u2028") {
		t.Errorf("not data: %q", body)
	}
	if got := b.Report(Filter{}).Skills.Items[0].Cells[0].Name; strings.ContainsAny(got, "\x00\x01") || !strings.HasPrefix(got, "a") {
		t.Errorf("a name with the signs of the packing came out as %q", got)
	}
	if w := get(h, "/api/status?limit="+"%3Cscript%3E"); w.Code != http.StatusBadRequest || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("got %d %s", w.Code, fmt.Sprint(w.Header()))
	}
}

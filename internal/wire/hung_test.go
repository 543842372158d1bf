package wire_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/credsync/credsync/internal/wire"
)

// write answers what comes with s in pieces of n bytes, one a second, and then
// with nothing more, until the other end goes.
func write(c net.Conn, s string, n int) {
	_, _ = c.Read(make([]byte, 1<<10))
	go func() { _, _ = io.Copy(io.Discard, c) }()
	for len(s) > 0 {
		n = min(n, len(s))
		if _, err := io.WriteString(c, s[:n]); err != nil {
			return
		}
		s = s[n:]
		time.Sleep(time.Second)
	}
}

// A peer that hangs, wherever in its answer, costs the time of the attempt, to
// the second, and leaves nothing running: synctest finds what does.
func TestAHungPeerCostsItsTimeoutAndNothingElse(t *testing.T) {
	const header = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
	for name, serve := range map[string]func(net.Conn){
		"reads nothing":             func(net.Conn) {},
		"never answers":             func(c net.Conn) { write(c, "", 1) },
		"stalls in the header":      func(c net.Conn) { write(c, header[:30], 100) },
		"a byte a second":           func(c net.Conn) { write(c, header+strings.Repeat("x", 1000), 1) },
		"an endless header, slowly": func(c net.Conn) { write(c, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X-Y: z\r\n", 1000), 8) },
		"stalls after the header":   func(c net.Conn) { write(c, header, 100) },
		"stalls in the body":        func(c net.Conn) { write(c, header+"half", 100) },
		"a body, a byte a second":   func(c net.Conn) { write(c, header+strings.Repeat("x", 1000), len(header)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := wire.NewBase()
				base.DialContext = func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					go serve(theirs)
					return ours, nil
				}
				wantTimeout(t, base)
				time.Sleep(2 * time.Second) // the peer sees that we went
			})
		})
	}
}

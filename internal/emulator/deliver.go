package emulator

import (
	"context"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// A body that comes slowly comes in this many pieces.
const pieces = 10

const defaultSlow = 10 * time.Second

// deliver brings ans to the client in the way of f; the zero Fault brings it
// whole and at once.
func (f Fault) deliver(w http.ResponseWriter, r *http.Request, ans answer) {
	if f.Delivery != DeliverSlow {
		pause(r.Context(), f.Delay)
	}
	switch f.Delivery {
	case DeliverHang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // net/http's way to end a connection without an answer
	case DeliverReset:
		reset(w)
	case DeliverCut:
		ans.head(w)
		// net/http ends the connection where a body stays short of its length.
		_, _ = w.Write(ans.body[:len(ans.body)/2])
	case DeliverSlow:
		f.trickle(w, r, ans)
	default:
		ans.head(w)
		_, _ = w.Write(ans.body)
	}
}

// head sends all that stands before the body.
func (a answer) head(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
}

func (f Fault) trickle(w http.ResponseWriter, r *http.Request, ans answer) {
	whole := f.Delay
	if whole == 0 {
		whole = defaultSlow
	}
	ans.head(w)
	rest, out := ans.body, http.NewResponseController(w)
	for left := pieces; left > 0; left-- {
		n := len(rest) / left
		_, _ = w.Write(rest[:n])
		_ = out.Flush()
		rest = rest[n:]
		pause(r.Context(), whole/pieces)
	}
}

// reset ends the connection so that the client's system says "reset by peer":
// closed without lingering, TCP sends RST.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// pause waits, and ends the request where its client goes in the meantime.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
		panic(http.ErrAbortHandler)
	}
}

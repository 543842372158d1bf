// Package loopback hears what a browser on this machine is sent back with: the
// redirect at the end of an OAuth consent (RFC 8252 §7.3).
package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Verdict is what is made of one request of a browser.
type Verdict int

// The verdicts. Each has a page of its own, which repeats nothing of the request.
const (
	Stray   Verdict = iota // none of ours: go on waiting
	Granted                // what was waited for
	Refused                // what was waited for, and it is no
)

var pages = map[Verdict]string{
	Stray:   "This is not the answer that credsync waits for. Start at the address that it printed.",
	Granted: "Amazon's answer has arrived. Go back to the terminal: this page can be closed.",
	Refused: "Amazon's answer has arrived, and it is no. The terminal says what to do: this page can be closed.",
}

const page = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>credsync</title>
<style>body{font:16px/1.5 sans-serif;max-width:32em;margin:4em auto;padding:0 1em}</style></head>
<body><h1>credsync</h1><p>%s</p></body></html>
`

// stopTime is how long the last page has to reach the browser.
const stopTime = 2 * time.Second

// A Listener waits at one URL on this machine. Make one with [Listen].
type Listener struct {
	at *url.URL
	l  net.Listener
}

// ErrBusy is that another program listens at the address.
var ErrBusy = errors.New("another program listens there")

// Possible reports whether a [Listener] can wait at u: plain HTTP to a loopback
// address, with a port.
func Possible(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	local := strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback()
	return u.Scheme == "http" && local && u.Port() != "" && u.Port() != "0"
}

// Listen begins to listen at at, which is [Possible]. An address that is taken
// is [ErrBusy].
func Listen(ctx context.Context, at *url.URL) (*Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", at.Host)
	switch {
	case err != nil && busy(err):
		return nil, fmt.Errorf("%s: %w", at.Host, ErrBusy)
	case err != nil:
		if op, ok := errors.AsType[*net.OpError](err); ok {
			err = op.Err
		}
		return nil, fmt.Errorf("%s: %w", at.Host, err)
	}
	return &Listener{at, l}, nil
}

// Wait hands the query of each request for the URL to judge, one at a time, until
// that is no [Stray] or ctx ends; its error is that of ctx or of the network. It
// returns when the browser has its page, and the address is free again.
func (l *Listener) Wait(ctx context.Context, judge func(url.Values) Verdict) error {
	heard := make(chan struct{})
	turn := make(chan bool, 1) // true = still waiting
	turn <- true
	server := &http.Server{
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second,
		MaxHeaderBytes: 16 << 10,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != l.path() || !strings.EqualFold(r.Host, l.at.Host) {
				http.NotFound(w, r)
				return
			}
			if r.Method != http.MethodGet {
				http.Error(w, "GET alone", http.StatusMethodNotAllowed)
				return
			}
			v, waiting := Stray, <-turn
			if waiting {
				v = judge(r.URL.Query())
			}
			write(w, v)
			if waiting && v != Stray {
				waiting = false
				close(heard)
			}
			turn <- waiting
		}),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l.l) }()
	var err error
	select {
	case err = <-failed:
		return err
	case <-heard:
	case <-ctx.Done():
		err = ctx.Err()
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close()
	}
	return errors.Join(err, closed(<-failed))
}

// closed is nil for the end of a server that was shut down.
func closed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Close stops listening where nothing waited.
func (l *Listener) Close() error { return l.l.Close() }

func (l *Listener) path() string {
	if l.at.Path == "" {
		return "/"
	}
	return l.at.Path
}

// write answers with a page that is kept nowhere and leads nowhere: the address
// it stands at holds a code.
func write(w http.ResponseWriter, v Verdict) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("Connection", "close")
	if v == Stray {
		w.WriteHeader(http.StatusBadRequest)
	}
	_, _ = fmt.Fprintf(w, page, pages[v])
}

package emulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// A Server is an [Amazon] on the network.
type Server struct {
	URL  string // base of api_url and token_url, without a slash at the end
	done chan struct{}
	err  error
}

// stopTime is how long requests in work have to end; those that a fault holds
// up end at once.
const stopTime = 2 * time.Second

// Serve puts a on the network until ctx ends; [Server.Wait] waits for that.
// listen is HOST:PORT; without a host it is loopback, and without a port any
// that is free. Another host than loopback has to be asked for by its address.
func Serve(ctx context.Context, listen string, a *Amazon) (*Server, error) {
	host, port, err := net.SplitHostPort(listen)
	switch {
	case listen == "":
		host, port = "127.0.0.1", "0"
	case err != nil:
		return nil, fmt.Errorf("listen on %q: HOST:PORT expected, as 127.0.0.1:8080", listen)
	case host == "":
		host = "127.0.0.1"
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", net.JoinHostPort(host, port), listenCause(err))
	}
	s := &Server{URL: "http://" + reachable(l.Addr()), done: make(chan struct{})}
	h := &http.Server{
		Handler:           a,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	go s.run(ctx, h, l)
	return s, nil
}

// Wait waits until the server has stopped, and returns why if it was not the
// end of its context. It may be called more than once.
func (s *Server) Wait() error {
	<-s.done
	return s.err
}

func (s *Server) run(ctx context.Context, h *http.Server, l net.Listener) {
	defer close(s.done)
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		if h.Shutdown(grace) != nil {
			_ = h.Close()
		}
	})
	if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		s.err = fmt.Errorf("serve: %w", listenCause(err))
	}
	if !stop() {
		<-stopped
	}
}

// reachable is where clients on this machine find a server that listens at addr.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
}

// listenCause strips the address that net.OpError repeats.
func listenCause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

package status

import (
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// maxConnections are served at once. More wait: a flood must not take the
	// file descriptors that runs need.
	maxConnections = 64
	maxHeader      = 16 << 10
)

// Listen returns a listener at address that hands out a bounded number of
// connections at a time.
func Listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address) //nolint:noctx // to bind takes no time
	if err != nil {
		return nil, err
	}
	return netutil.LimitListener(l, maxConnections), nil
}

// NewServer returns a server of h that nobody holds up for long. Its ErrorLog is
// up to the caller.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    maxHeader,
	}
}

package awssm

import (
	"context"
	"net/url"

	"github.com/credsync/credsync/internal/doctor"
	"github.com/credsync/credsync/internal/wire"
)

// Check takes the steps of [Sink.Examination] as one; see [sink.Checker].
func (s *Sink) Check(ctx context.Context) ([]string, error) {
	return doctor.Whole(ctx, s.Examination())
}

// advice says what works but deserves a word.
func (c Config) advice() []string {
	if u, err := url.Parse(c.EndpointURL); err == nil && u.Scheme == "http" && !wire.Loopback(u.Hostname()) {
		return []string{"endpoint_url is plain HTTP and not on this host, so values travel unencrypted; use https"}
	}
	return nil
}

package awssm

import (
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/credsync/credsync/internal/wire"
)

// Check asks for one entry of a listing, which tells that the endpoint answers
// and that our identity is accepted and may list. It can't tell whether we may
// write: AWS shows that by a write alone.
func (s *Sink) Check(ctx context.Context) ([]string, error) {
	_, err := s.page(ctx, 1, nil, filter(types.FilterNameStringTypeTagKey, tagOwner))
	return s.config.advice(), explain(ctx, "list", err)
}

// advice says what works but deserves a word.
func (c Config) advice() []string {
	if u, err := url.Parse(c.EndpointURL); err == nil && u.Scheme == "http" && !wire.Loopback(u.Hostname()) {
		return []string{"endpoint_url is plain HTTP and not on this host, so values travel unencrypted; use https"}
	}
	return nil
}

package awssm

import (
	"context"
	"strings"
)

// Check asks for one entry of a listing, which tells that the endpoint answers
// and that our identity is accepted and may list. It can't tell whether we may
// write: AWS shows that by a write alone.
func (s *Sink) Check(ctx context.Context) (advice []string, err error) {
	if _, err := s.page(ctx, "-", 1, nil); err != nil {
		return nil, explain(ctx, "list", err)
	}
	if strings.HasPrefix(s.config.EndpointURL, "http:") {
		advice = append(advice, "endpoint_url is plain HTTP, so values travel unencrypted; use https")
	}
	return advice, nil
}

package awssm

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// Check asks for one entry of a listing, which tells that the endpoint answers
// and that our identity is accepted and may list. It can't tell whether we may
// write: AWS shows that by a write alone.
func (s *Sink) Check(ctx context.Context) (advice []string, err error) {
	if _, err := s.page(ctx, 1, nil, filter(types.FilterNameStringTypeTagKey, tagOwner)); err != nil {
		return nil, explain(ctx, "list", err)
	}
	if strings.HasPrefix(s.config.EndpointURL, "http:") {
		advice = append(advice, "endpoint_url is plain HTTP, so values travel unencrypted; use https")
	}
	return advice, nil
}

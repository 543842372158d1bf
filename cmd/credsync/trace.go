package main

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/credsync/credsync/internal/tracing"
)

// traceTime is what sending the last spans may take.
const traceTime = 3 * time.Second

// A traces is where spans go. The nil traces is nowhere.
type traces struct {
	*tracing.Exporter
	endpoint, instance string
}

// traces opens it where the configuration wants spans, or returns before, which
// may be nil, if that is the same. It has to be closed once, when no pass runs.
func (s *setup) traces(ctx context.Context, before *traces) (*traces, error) {
	if s.cfg.OTLPEndpoint == "" {
		return nil, nil
	}
	if before != nil && before.endpoint == s.cfg.OTLPEndpoint && before.instance == s.cfg.Instance {
		return before, nil
	}
	v, _ := buildVersion()
	e, err := tracing.Open(ctx, s.cfg.OTLPEndpoint, tracing.Options{Version: v, Instance: s.cfg.Instance, Host: hostname(), Log: s.log})
	if err != nil {
		return nil, usage(err)
	}
	return &traces{e, s.cfg.OTLPEndpoint, s.cfg.Instance}, nil
}

func (t *traces) tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return t.Tracer()
}

// close sends the last spans.
func (t *traces) close(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceTime)
	defer cancel()
	t.Close(ctx)
}

package main

import (
	"context"
	"os"
	"time"

	"github.com/credsync/credsync/internal/syncer"
	"github.com/credsync/credsync/internal/tracing"
)

// traceTime is what sending the last spans may take.
const traceTime = 3 * time.Second

// trace lets engine make spans where the configuration wants them. The function
// it returns sends the last of them; it is to be called when no pass runs.
func (s *setup) trace(ctx context.Context, engine *syncer.Engine) (end func(), err error) {
	if s.cfg.OTLPEndpoint == "" {
		return func() {}, nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	v, _ := buildVersion()
	e, err := tracing.Open(ctx, s.cfg.OTLPEndpoint, tracing.Options{Version: v, Instance: s.cfg.Instance, Host: host, Log: s.log})
	if err != nil {
		return nil, usage(err)
	}
	engine.Tracer = e.Tracer()
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceTime)
		defer cancel()
		e.Close(ctx)
	}, nil
}

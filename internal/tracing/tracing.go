// Package tracing sends spans to an OpenTelemetry collector: OTLP over HTTP, in
// protobuf. Nobody waits for the collector: what it does not take in time is
// dropped, and said in the log.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/wire"
)

const (
	tracesPath  = "/v1/traces" // below an endpoint that names no path (OTLP 1.x: OTLP/HTTP request)
	attemptTime = 10 * time.Second
	maxAnswer   = 1 << 20
	sayAgain    = time.Minute // between two log lines about a collector that is down
)

// Faults returns what is wrong with the URL of a collector. It asks nobody, and
// does not repeat the URL: a user could have written a token in it.
func Faults(endpoint string) (l fault.List) {
	u, ok := wire.ParseURL(endpoint)
	switch {
	case !ok:
		l.Add("", "not an absolute URL", "write it as http://127.0.0.1:4318")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		l.Add("", "holds more than a host and a path", "put what lets you in into $OTEL_EXPORTER_OTLP_HEADERS")
	case u.Scheme != "http" && u.Scheme != "https":
		l.Add("", fmt.Sprintf("%q is not a scheme that works here", u.Scheme), "use http or https")
	}
	return l
}

// Options say whose spans they are.
type Options struct {
	Version  string
	Instance string // the owner mark
	Host     string
	Log      *zap.Logger
}

// An Exporter sends the spans of its tracer. It is safe for concurrent use.
type Exporter struct{ provider *sdk.TracerProvider }

// Open returns an Exporter to endpoint, which has no [Faults]. It asks nobody.
// OpenTelemetry has one handler of errors in a process, which this takes.
func Open(ctx context.Context, endpoint string, o Options) (*Exporter, error) {
	u, ok := wire.ParseURL(endpoint)
	if !ok {
		return nil, errors.New("otlp_endpoint: not a URL")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = tracesPath
	}
	t := &wire.Transport{Base: wire.NewBase(), Target: "otlp", Timeout: attemptTime, MaxBody: maxAnswer}
	out, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()), otlptracehttp.WithHTTPClient(wire.NewClient(t)))
	if err != nil {
		return nil, errors.New("otlp_endpoint: no exporter can be made for it; is $OTEL_EXPORTER_OTLP_HEADERS well formed?")
	}
	otel.SetErrorHandler(&complaint{log: o.Log})
	who := resource.NewSchemaless(
		attribute.String("service.name", "credsync"), attribute.String("service.version", o.Version),
		attribute.String("service.namespace", o.Instance), attribute.String("host.name", o.Host),
	)
	return &Exporter{sdk.NewTracerProvider(sdk.WithResource(who), sdk.WithBatcher(out), sdk.WithRawSpanLimits(limits()))}, nil
}

// limits bounds what one span can hold: names are the only text of others in it.
func limits() sdk.SpanLimits {
	l := sdk.NewSpanLimits()
	l.AttributeValueLengthLimit = 1024
	return l
}

// Tracer returns what makes the spans.
func (e *Exporter) Tracer() trace.Tracer { return e.provider.Tracer("github.com/credsync/credsync") }

// Close sends what waits, until ctx ends.
func (e *Exporter) Close(ctx context.Context) {
	if err := e.provider.Shutdown(ctx); err != nil {
		otel.Handle(err)
	}
}

// A complaint says now and then that the collector does not take spans. What the
// collector said is not repeated.
type complaint struct {
	log  *zap.Logger
	last atomic.Int64 // Unix nanoseconds; 0 = never
}

// Handle logs that spans were lost.
func (c *complaint) Handle(error) {
	now := time.Now().UnixNano()
	last := c.last.Load()
	if last == 0 || now-last > int64(sayAgain) {
		if c.last.CompareAndSwap(last, now) {
			c.log.Warn("traces are lost: the collector at otlp_endpoint does not take them")
		}
	}
}

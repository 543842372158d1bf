package tracing

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/protobuf/proto"
)

func open(t *testing.T, endpoint string) (*Exporter, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	e, err := Open(t.Context(), endpoint, Options{Version: "1.2.3", Instance: "prod", Host: "h", Log: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	return e, logs
}

func TestSpansReachACollector(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=letmein")
	var got collector.ExportTraceServiceRequest
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/v1/traces" || req.Header.Get("api-key") != "letmein" || req.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %v", req.URL.Path, req.Header)
		}
		body := io.Reader(req.Body)
		if req.Header.Get("Content-Encoding") == "gzip" {
			var err error
			if body, err = gzip.NewReader(req.Body); err != nil {
				t.Error(err)
			}
		}
		b, err := io.ReadAll(body)
		if err = errors.Join(err, proto.Unmarshal(b, &got)); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	e, _ := open(t, server.URL) // the log may have what exporters of other tests leave
	_, span := e.Tracer().Start(t.Context(), "run")
	span.End()
	e.Close(t.Context())
	if len(got.ResourceSpans) != 1 || got.ResourceSpans[0].ScopeSpans[0].Spans[0].Name != "run" {
		t.Fatalf("the collector got %v", &got)
	}
	who := got.ResourceSpans[0].Resource.String()
	for _, want := range []string{"credsync", "1.2.3", "prod"} {
		if !strings.Contains(who, want) {
			t.Errorf("%s is missing in %s", want, who)
		}
	}
}

// A collector that refuses or hangs costs spans and the time of Close. It is said
// once, without what it answered.
func TestACollectorThatFailsHoldsNobodyUp(t *testing.T) {
	refuse := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "canary", http.StatusForbidden) }
	release := make(chan struct{})
	hang := func(http.ResponseWriter, *http.Request) { <-release }
	for name, handler := range map[string]http.HandlerFunc{"refuses": refuse, "hangs": hang} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				asked.Add(1)
				handler(w, req)
			}))
			t.Cleanup(server.Close)
			e, logs := open(t, server.URL+"/canary")
			for range 5000 { // more than are kept
				_, span := e.Tracer().Start(t.Context(), "skill")
				span.End()
			}
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			e.Close(ctx)
			otel.Handle(errors.New("canary"))
			if asked.Load() == 0 {
				t.Error("the collector was not asked")
			}
			if lost := logs.FilterMessageSnippet("traces are lost"); lost.Len() != 1 || len(logs.All()) != 1 || len(logs.All()[0].Context) > 0 {
				t.Errorf("log: %v", logs.All())
			}
			if name == "hangs" {
				close(release)
			}
		})
	}
}

func TestFaultsOfAnEndpoint(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:4318":            "",
		"https://otel.example.com/x/y":     "",
		"127.0.0.1:4318":                   "not an absolute URL",
		"grpc://otel.example.com":          `"grpc" is not a scheme`,
		"https://u:canary@example.com":     "holds more than a host and a path",
		"https://example.com/?k=canary":    "holds more than a host and a path",
		"https://exa mple.com/canary%zz":   "not an absolute URL",
		"http://otel.example.com:4318/#xy": "holds more than a host and a path",
	} {
		l := Faults(endpoint)
		switch {
		case want == "" && len(l) > 0, want != "" && (len(l) != 1 || !strings.Contains(l[0].Problem, want) || strings.Contains(l[0].Problem, "canary")):
			t.Errorf("%s: %v, want %q", endpoint, l, want)
		}
	}
}

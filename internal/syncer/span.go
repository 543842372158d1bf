package syncer

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/credsync/credsync/internal/credential"
)

// A deed is what a span is about: one call of the source or of a sink, or all
// that is done for a skill.
type deed struct {
	what  string
	skill credential.SkillID
	sink  string
	name  string
}

// span begins a span for d, under that of ctx. The function it returns ends the
// span, with the reason of what failed; the text of the error stays here.
func (p *pass) span(ctx context.Context, d deed) (context.Context, func(error)) {
	if p.Tracer == nil {
		return ctx, func(error) {}
	}
	var about []attribute.KeyValue
	for _, a := range []struct{ key, value string }{
		{"credsync.skill", string(d.skill)}, {"credsync.sink", d.sink}, {"credsync.name", d.name},
	} {
		if a.value != "" {
			about = append(about, attribute.String(a.key, a.value))
		}
	}
	ctx, span := p.Tracer.Start(ctx, d.what, trace.WithAttributes(about...))
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, string(reasonOf(err)))
		}
		span.End()
	}
}

// runSpan begins the span of the whole pass. The function it returns ends it
// with what the summary says then.
func (p *pass) runSpan(ctx context.Context) (context.Context, func()) {
	if p.Tracer == nil {
		return ctx, func() {}
	}
	s := &p.summary
	ctx, span := p.Tracer.Start(ctx, "run", trace.WithAttributes(
		attribute.String("credsync.job", s.Job), attribute.String("credsync.run", s.Run),
		attribute.String("credsync.trigger", string(s.Trigger)), attribute.Bool("credsync.dry_run", p.opts.DryRun),
	))
	return ctx, func() {
		for _, o := range Outcomes {
			span.SetAttributes(attribute.Int("credsync."+string(o), s.Counts[o]))
		}
		switch {
		case s.Err != nil:
			span.SetStatus(codes.Error, string(reasonOf(s.Err)))
		case s.Brake != "":
			span.SetStatus(codes.Error, string(Brake))
		}
		span.End()
	}
}

// underSpan returns ctx with the span that another context is under: what is done
// for a skill outlives its look.
func (p *pass) underSpan(ctx, other context.Context) context.Context {
	if p.Tracer == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, trace.SpanFromContext(other))
}

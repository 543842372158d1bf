package awssm

import (
	"context"
	"testing"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/sinktest"
)

// TestSink runs the conformance suite against the fault server.
func TestSink(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		r := newRig(t)
		return sinktest.Harness{
			Sink: settled{r.sink}, Form: r.config.Form(), MaxBody: maxBody,
			Fail: r.gate.fail, Requests: r.gate.count, Stored: r.fake.stored,
			Tamper: r.tamper, Foreign: r.foreign, Claim: r.claim, SoftDelete: r.softDelete,
		}
	})
}

// A settled is a Sink whose writes are all older than the lag of listings: the
// suite lists what it has just written.
type settled struct{ *Sink }

func (s settled) List(ctx context.Context, instance string, found func(string, sink.State)) error {
	s.recent.forget()
	return s.Sink.List(ctx, instance, found)
}

func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written = nil
}

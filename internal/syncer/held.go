package syncer

import (
	"strings"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

// A held is an update that waits for the brake. A run can hold one for each name
// there is, so it is no more than what can't be had again: the record is made
// anew from the pair when its turn comes.
type held struct {
	entry     *source.Entry
	target    *target
	pair      *credential.Credential
	prev      string // see packed
	rekeyed   bool   // another key made the fingerprint that stands there
	outcome   Outcome
	decisions int
	seen      time.Time
}

// hold keeps an update until the look is over.
func (p *pass) hold(w *work) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = append(p.held, held{
		entry: w.entry, target: w.target, pair: w.pair, prev: packed(w.prev), rekeyed: w.prev.Key != "" && w.prev.Key != w.record.Key,
		outcome: w.outcome, decisions: w.decisions, seen: w.seen,
	})
}

// resume returns the work that h was held with.
func (p *pass) resume(h held) (*work, error) {
	w := &work{
		entry: h.entry, target: h.target, pair: h.pair,
		outcome: h.outcome, action: Updated, decisions: h.decisions, seen: h.seen,
	}
	err := w.prepare(p)
	w.prev = unpacked(h.prev, w.record.Owner)
	return w, err
}

// packed returns as one text a state that an update is decided on: what stands
// there is ours, whole, and nobody guards it.
func packed(s sink.State) string {
	return strings.Join([]string{string(s.Fingerprint), s.Key, s.Version, s.Ref}, "\x00")
}

func unpacked(text string, owner sink.Owner) sink.State {
	part := strings.SplitN(text, "\x00", 4)
	return sink.State{
		Exists: true, Owner: owner, Fingerprint: credential.Fingerprint(part[0]), Key: part[1], Version: part[2], Ref: part[3],
	}
}

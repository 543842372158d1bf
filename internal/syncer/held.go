package syncer

import (
	"encoding/binary"
	"encoding/hex"
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
	var b []byte
	for _, part := range []string{string(s.Fingerprint), s.Key, s.Version, s.Ref} {
		raw, err := hex.DecodeString(part)
		head := uint64(len(raw))<<1 | 1 // a digest is half as long as its digits
		if err != nil || hex.EncodeToString(raw) != part {
			raw, head = []byte(part), uint64(len(part))<<1
		}
		b = append(binary.AppendUvarint(b, head), raw...)
	}
	return string(b)
}

func unpacked(text string, owner sink.Owner) sink.State {
	var part [4]string
	for i := range part {
		head, n := binary.Uvarint([]byte(text[:min(len(text), binary.MaxVarintLen64)]))
		raw := text[n : n+int(head>>1)]
		text = text[n+len(raw):]
		if part[i] = raw; head&1 == 1 {
			part[i] = hex.EncodeToString([]byte(raw))
		}
	}
	return sink.State{
		Exists: true, Owner: owner, Fingerprint: credential.Fingerprint(part[0]), Key: part[1], Version: part[2], Ref: part[3],
	}
}

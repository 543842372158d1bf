package sinktest

import (
	"errors"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// look tells what is at the name, by a sink and past it.
func (m *match) look() (sink.State, Stored) {
	s, err := m.Peek.Inspect(m.t.Context(), m.name)
	if err != nil {
		m.Fatal(err)
	}
	return s, m.Stored(m.t, m.name)
}

// disturb notes that somebody other than p did something.
func (m *match) disturb(p *player) {
	for _, other := range m.players {
		if other != p {
			other.disturbed = true
		}
	}
}

// sound wants the fingerprint to be that of the value beside it.
func (m *match) sound() {
	s, stored := m.look()
	if s.Fingerprint == "" {
		return
	}
	if r, ok := m.truth[s.Fingerprint]; !ok || !r.Body.Equal(credential.NewSecret(stored.Body)) {
		m.Errorf("%q passes for a value of ours: %+v", stored.Body, s)
	}
}

// judge says whether p may turn was into now.
func (m *match) judge(p *player, was, now sink.State, after Stored) {
	p.versions++
	p.disturbed = p.disturbed && m.BlindToMarks
	switch {
	case was.Deleted && !now.Deleted && was.Version == now.Version:
		p.versions-- // a restore brings the old value back before the new one comes
	case !after.Exists || !p.record.Body.Equal(credential.NewSecret(after.Body)):
		m.Errorf("%q stands there, which nobody put", after.Body)
	case was.Version != p.prev.Version || was.Version != "" && was.Exists != p.prev.Exists:
		m.Errorf("decided on %+v, and overwrote %+v", p.prev, was)
	case p.versions > 1:
		m.Errorf("made %d versions in one write", p.versions)
	case was.Exists && was.Owner != p.record.Owner:
		p.trespass = true
	case was.Ref != p.prev.Ref && was.Exists: // another secret, as old as that which was seen
		p.mistaken = true
	}
}

// close wants what p did to have ended as the contract says.
func (m *match) close(p *player, e event, now sink.State) {
	if e.left {
		m.puts["left"]++
		if e.err != nil && (!errors.Is(e.err, sink.ErrUnavailable) || p.lost < 3) {
			m.Errorf("Inspect: %v", e.err)
		}
		return
	}
	switch err := e.err; {
	case err == nil:
		m.puts["done"]++
	case errors.Is(err, sink.ErrConflict):
		m.puts["conflict"]++
		return
	case errors.Is(err, sink.ErrForeign):
		m.puts["foreign"]++
		return
	case errors.Is(err, sink.ErrUnavailable) && p.lost >= 3: // an attempt each
		m.puts["unavailable"]++
		return
	default:
		m.Errorf("Put: %v", err)
		return
	}
	switch {
	case p.mistaken && !m.BlindToTwins:
		m.Errorf("overwrote what it had not seen, and says so to nobody")
	case p.mistaken && !p.disturbed && (now.Owner != m.owner || now.Fingerprint != ""):
		m.Errorf("overwrote what it had not seen, and the next look finds %+v", now)
	case p.trespass && !m.BlindToMarks:
		m.Errorf("overwrote what is not ours any more, and says so to nobody")
	case e.state.Owner != p.record.Owner || e.state.Fingerprint != p.record.Fingerprint || !e.state.Exists || e.state.Deleted:
		m.Errorf("Put returned %+v", e.state)
	case !p.disturbed && !p.mistaken && e.state != now:
		m.Errorf("Put returned %+v, and there is %+v", e.state, now)
	}
}

// quiet lets both come to their end. Then looking and putting has to bring the
// value in place, with one version more at most, or leave alone what is foreign.
func (m *match) quiet() {
	for i, p := range m.players {
		for p.busy {
			m.request(i, true)
		}
	}
	m.sound()
	before, held := m.look()
	for range 2 { // claimed, filled
		m.begin(0, "z")
		for m.players[0].busy {
			m.request(0, true)
		}
	}
	now, holds := m.look()
	ours := before.Owner == m.owner || before.Owner.IsZero() && !before.Exists
	switch want := m.players[0].record; {
	case !ours && (now != before || holds != held):
		m.Errorf("%+v is not ours and became %+v", before, now)
	case ours && (now.Fingerprint != want.Fingerprint || !want.Body.Equal(credential.NewSecret(holds.Body))):
		m.Errorf("in the end there is %q: %+v", holds.Body, now)
	case holds.Versions > held.Versions+1:
		m.Errorf("the last run made %d versions", holds.Versions-held.Versions)
	}
}

// abandon ends what a failed check left behind.
func (m *match) abandon() {
	for _, p := range m.players {
		for p.busy {
			p.pass <- true
			p.busy = !(<-p.events).over
		}
	}
}

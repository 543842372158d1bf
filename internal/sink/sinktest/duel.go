package sinktest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/scale"
	"github.com/credsync/credsync/internal/sink"
)

// A Duel is two sinks of one instance on one backend, and the hands of others.
// Each request can be held up, so that all may happen between any two of them.
type Duel struct {
	Sinks [2]sink.Sink
	Form  sink.Form
	// Meet makes each request of a sink wait until meet returns, which reports
	// whether its answer gets back; nil where a call is all that can be held up.
	Meet [2]func(meet func() (answer bool))
	// Peek is a third sink, whose requests nobody holds up.
	Peek   sink.Sink
	Stored func(t *testing.T, name string) Stored
	// Hands are what others can do at name, by what it is called. A body that
	// they store is theirs alone.
	Hands func(t *testing.T, name string) map[string]func(body string)
	// Name returns the n-th valid name; nil means that of a [Harness].
	Name func(n int) string
	// BlindToMarks: a mark that changes alone, between look and write, is not
	// seen by the write. See the tenth decision.
	BlindToMarks bool
	// BlindToTwins: a secret that was made anew as a copy of what the look saw,
	// marks and all, passes for it. Then the next look tells. See the seventeenth
	// decision.
	BlindToTwins bool
}

// RunDuel lets the sinks of d and the hands loose on one name after the other,
// in an order that a seed draws. Whatever happens, a fingerprint tells the truth,
// what a write had not seen is not overwritten, one Put makes one version at
// most, and it fails in no other way than by a conflict or as foreign. When all
// is quiet, looking and putting brings the value back.
//
//	CREDSYNC_TEST_FULL=1 go test -count=1 -run Duel ./internal/sink/...
func RunDuel(t *testing.T, d Duel) {
	t.Helper()
	repeat(t)
	if d.Name == nil {
		d.Name = (&bench{}).name
	}
	n, steps, puts := 0, 0, map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		n++
		m := &match{T: rt, Duel: d, t: t, name: d.Name(n), owner: owner(n), truth: map[credential.Fingerprint]sink.Record{}, puts: puts}
		for i := range m.players {
			m.players[i] = &player{events: make(chan event), pass: make(chan bool)}
			if d.Meet[i] != nil {
				d.Meet[i](m.players[i].meet)
			}
		}
		defer m.abandon()
		for range moves {
			m.move()
		}
		m.quiet()
		steps += m.steps
	})
	t.Logf("seed %d: %d steps on %d names, %v", scale.Seed(), steps, n, puts)
}

// A match is what happens at one name.
type match struct {
	*rapid.T
	Duel
	t       *testing.T
	name    string
	owner   sink.Owner
	players [2]*player
	truth   map[credential.Fingerprint]sink.Record // what each fingerprint is of
	bodies  int
	steps   int
	puts    map[string]int // by how they ended
}

// A player is one of the sinks, and the look and the write that it makes.
type player struct {
	events    chan event
	pass      chan bool
	busy      bool
	record    sink.Record
	prev      sink.State
	versions  int  // made by this write
	lost      int  // answers
	trespass  bool // on what was not ours any more
	mistaken  bool // about what stood there
	disturbed bool // somebody else did something after our last version, or at any time where that goes unseen
}

// An event is a request that waits, or the end of what a player does.
type event struct {
	over  bool
	left  bool // the look left nothing to be done
	state sink.State
	err   error
}

// meet holds a request up until the model lets it through.
func (p *player) meet() (answer bool) {
	p.events <- event{}
	return <-p.pass
}

// play looks and writes, if the name is free or ours.
func (p *player) play(ctx context.Context, s sink.Sink, name string) {
	p.meet()
	prev, err := s.Inspect(ctx, name)
	ours := prev.Owner == p.record.Owner || prev.Owner.IsZero() && !prev.Exists
	if err != nil || !ours {
		p.events <- event{over: true, left: true, err: err}
		return
	}
	p.prev = prev
	p.meet()
	state, err := s.Put(ctx, name, p.record, prev)
	p.events <- event{over: true, state: state, err: err}
}

// moves is how much happens in a match.
const moves = 40

// move does what comes next: mostly a request, sometimes a write or a hand, and
// hands seldom come where they disturb nobody.
func (m *match) move() {
	busy, idle := m.are(true), m.are(false)
	var kinds []string
	if len(busy) > 0 {
		kinds = []string{"request", "request", "request", "request", "hand", "hand", "lost answer"}
	}
	if len(idle) > 0 {
		kinds = append(kinds, "write", "write", "hand")
	}
	kind := rapid.SampledFrom(kinds).Draw(m.T, "kind")
	if kind == "lost answer" && rapid.IntRange(0, 4).Draw(m.T, "luck") > 0 {
		kind = "request"
	}
	switch kind {
	case "write":
		m.begin(rapid.SampledFrom(idle).Draw(m.T, "player"), rapid.SampledFrom([]string{"a", "b", "c"}).Draw(m.T, "value"))
	case "hand":
		hands := m.Hands(m.t, m.name)
		m.steps++
		m.bodies++
		hands[rapid.SampledFrom(slices.Sorted(maps.Keys(hands))).Draw(m.T, "hand")](fmt.Sprintf("by hand %d", m.bodies))
		m.disturb(nil)
	default:
		m.request(rapid.SampledFrom(busy).Draw(m.T, "player"), kind == "request")
	}
	m.sound()
}

// are returns the players that are busy, or those that are not.
func (m *match) are(busy bool) (players []int) {
	for i, p := range m.players {
		if p.busy == busy {
			players = append(players, i)
		}
	}
	return players
}

// begin lets a player look at the name, to write a value made of label.
func (m *match) begin(i int, label string) {
	r, err := m.Form.Record(credential.FingerprintKey{}, m.owner, m.name, []sink.Field{{Name: "client_secret", Value: credential.NewSecret(label)}})
	if err != nil {
		m.Fatal(err)
	}
	m.steps++
	m.truth[r.Fingerprint] = r
	p := m.players[i]
	p.busy, p.record, p.prev, p.versions, p.lost, p.trespass, p.mistaken, p.disturbed = true, r, sink.State{}, 0, 0, false, false, false
	go p.play(m.t.Context(), m.Sinks[i], m.name)
	<-p.events
}

// request lets one request of a player through.
func (m *match) request(i int, answer bool) {
	p := m.players[i]
	was, before := m.look()
	m.steps++
	if !answer {
		p.lost++
	}
	p.pass <- answer
	e := <-p.events
	now, after := m.look()
	if before.Body != after.Body || before.Versions != after.Versions {
		m.judge(p, was, now, after)
	}
	if was.Exists && was.Owner != m.owner && now.Owner == m.owner {
		m.Errorf("took over %+v", was)
	}
	m.disturb(p)
	if e.over {
		p.busy = false
		m.close(p, e, now)
	}
}

package smapi

import (
	"context"
	"sync"
	"time"
)

// A gap shorter than a wake-up takes is kept on average, by calls that make up
// for late ones, as long as the peer has never throttled.
const (
	wakeUp  = 5 * time.Millisecond
	catchUp = 50 * time.Millisecond // no more than this is made up for
)

// A pace spaces the calls to one peer, at the rate that its tempo has learned.
// Gaps are counted from the call that really went last: the system wakes us late,
// and a gap that is too short is throttled. It is safe for concurrent use.
type pace struct {
	turn chan struct{} // held by the one caller who waits for the next slot

	mu    sync.Mutex
	tempo tempo
	last  time.Time // a call was let go
	hold  time.Time // no call before
	many  int       // calls that were throttled
}

// newPace returns a pace that starts at the given requests a second and never
// exceeds most.
func newPace(start, most float64) *pace {
	return &pace{turn: make(chan struct{}, 1), tempo: newTempo(start, most)}
}

// Wait returns when the next call may go, in the slot that it got. It returns an
// error of the context when that ends first, and [context.DeadlineExceeded] at
// once where the slot would come too late.
func (p *pace) Wait(ctx context.Context) (slot, error) {
	// One caller at a time waits for a slot, so that a change of the rate
	// reaches all the others.
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return slot{}, ctx.Err()
	}
	for waited := false; ; waited = true {
		s, due := p.depart(waited)
		if due.IsZero() {
			return s, ctx.Err()
		}
		if err := sleepUntil(ctx, due); err != nil {
			return slot{}, err
		}
	}
}

// depart takes the slot of this moment, or says when there will be one.
func (p *pace) depart(waited bool) (s slot, due time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	due = p.hold
	if next := p.last.Add(p.tempo.next()); !p.last.IsZero() && next.After(due) {
		due = next
	}
	if due.After(now) {
		return slot{}, due
	}
	gap := now.Sub(p.last)
	p.last = now
	if p.tempo.flight == 0 && p.tempo.gap() < wakeUp && now.Sub(due) < catchUp {
		p.last = due
	}
	if p.tempo.knocks() { // alone: what followed would be throttled with it
		p.holdFor(p.tempo.lag * 6 / 5)
	}
	return p.tempo.sent(now, gap, waited), time.Time{}
}

// Succeeded hears that the call in slot s was answered and not throttled.
func (p *pace) Succeeded(s slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silence(p.tempo.succeeded(s, time.Now()))
}

// Throttled hears that the call in slot s was throttled, and for how long the
// peer wants no other; 0 = it did not say.
func (p *pace) Throttled(s slot, after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.many++
	p.holdFor(after)
	p.silence(p.tempo.throttled(s, after, time.Now()))
}

// silence lets no call go for so long. The one after it asks if others are there.
func (p *pace) silence(long time.Duration) {
	if long > 0 {
		p.holdFor(long)
		p.tempo.turns.asks = true
	}
}

// Hold lets no call go before the duration after is over.
func (p *pace) Hold(after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holdFor(after)
}

func (p *pace) holdFor(after time.Duration) {
	if until := time.Now().Add(after); after > 0 && until.After(p.hold) {
		p.hold = until
	}
}

// Rate returns the requests a second that are let go now.
func (p *pace) Rate() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tempo.now()
}

// Throttles returns how many calls were throttled.
func (p *pace) Throttles() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.many
}

// sleepUntil sleeps until t, or returns an error of ctx: at once where its
// deadline comes before t.
func sleepUntil(ctx context.Context, t time.Time) error {
	d := time.Until(t)
	if d <= 0 {
		return ctx.Err()
	}
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(t) {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package smapi

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	paceCut   = 0.7      // what a throttled call leaves of the rate
	paceFloor = 1.0 / 30 // requests a second, however often we are throttled
	paceStep  = 1.0      // requests a second gained: by each success at first, by a second of them once throttled
)

// A pace spaces the calls to one peer, whose limit it does not know. It gains
// quickly until a call is throttled for the first time; from then on it is
// additive increase and multiplicative decrease. It is safe for concurrent use.
type pace struct {
	max, floor float64
	turn       chan struct{} // held by the one caller whose slot is running

	mu      sync.Mutex
	limiter *rate.Limiter
	flight  flight    // 0 = never throttled
	hold    time.Time // no call before
}

// A flight is all calls that were let go between two cuts of the rate. What
// they meet is one piece of news, however many of them bring it.
type flight uint64

// newPace returns a pace that starts at the given requests a second and never
// exceeds most.
func newPace(start, most float64) *pace {
	return &pace{
		max: most, floor: min(paceFloor, start),
		turn:    make(chan struct{}, 1),
		limiter: rate.NewLimiter(rate.Limit(start), 1),
	}
}

// Wait returns when the next call may go, and the flight that it belongs to. It
// returns an error of the context when that ends first, and
// [context.DeadlineExceeded] at once where the slot would come too late.
func (p *pace) Wait(ctx context.Context) (flight, error) {
	// One caller at a time books a slot, so that a change of the rate reaches
	// all the others.
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	for {
		if err := sleepUntil(ctx, p.held()); err != nil {
			return 0, err
		}
		if err := p.limiter.Wait(ctx); err != nil {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			return 0, context.DeadlineExceeded
		}
		if f, free := p.depart(); free {
			return f, nil
		}
	}
}

func (p *pace) held() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hold
}

// depart reports whether no hold came up while the slot was waited for.
func (p *pace) depart() (flight, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.flight, !time.Now().Before(p.hold)
}

// Succeeded hears that a call was answered and not throttled.
func (p *pace) Succeeded() {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := float64(p.limiter.Limit())
	gain := paceStep
	if p.flight > 0 && r > 1 {
		gain /= r
	}
	p.limiter.SetLimit(rate.Limit(min(p.max, r+gain)))
}

// Throttled hears that a call of flight f was throttled, and for how long the
// peer wants no other; 0 = it did not say. A flight cuts the rate once.
func (p *pace) Throttled(f flight, after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f == p.flight {
		p.flight++
		p.limiter.SetLimit(rate.Limit(max(p.floor, float64(p.limiter.Limit())*paceCut)))
	}
	p.holdFor(after)
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
func (p *pace) Rate() float64 { return float64(p.limiter.Limit()) }

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

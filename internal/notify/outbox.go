package notify

import (
	"context"
	"sync"

	"go.uber.org/zap"
)

// maxWaiting is how many events wait for a receiver that is slow. The oldest
// makes room.
const maxWaiting = 100

// An Outbox hands events on to one receiver, one after the other, in a goroutine
// of its own. Its methods are safe for concurrent use.
type Outbox struct {
	to     Receiver
	log    *zap.Logger
	stop   context.CancelFunc // of the delivery under way, too
	more   chan struct{}      // holds a token while there may be something to do
	ended  chan struct{}
	mu     sync.Mutex
	queue  []Event
	closed bool
}

// NewOutbox returns an Outbox for to. What can't be delivered is logged. It has to
// be closed.
func NewOutbox(to Receiver, log *zap.Logger) *Outbox {
	ctx, stop := context.WithCancel(context.Background())
	o := &Outbox{to: to, log: log, stop: stop, more: make(chan struct{}, 1), ended: make(chan struct{})}
	go func() {
		defer close(o.ended)
		for e, ok := o.next(); ok; e, ok = o.next() {
			o.deliver(ctx, e)
		}
	}()
	return o
}

// Put queues e, if the receiver wants it, and returns at once. After Close it
// does nothing.
func (o *Outbox) Put(e Event) {
	if !o.to.Wants(e) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	if len(o.queue) == maxWaiting {
		o.log.Error("not told of a run: too many wait already", zap.String("run", o.queue[0].ID))
		o.queue = o.queue[1:]
	}
	o.queue = append(o.queue, e)
	o.wake()
}

// Close waits until all that was put is delivered or given up, but not longer than
// ctx; then the delivery under way is cut short, and the rest is dropped. It
// returns when nothing runs any more.
func (o *Outbox) Close(ctx context.Context) {
	o.mu.Lock()
	o.closed = true
	o.wake()
	o.mu.Unlock()
	select {
	case <-o.ended:
	case <-ctx.Done():
	}
	o.stop()
	<-o.ended
}

// wake lets next look again.
func (o *Outbox) wake() {
	select {
	case o.more <- struct{}{}:
	default: // it is about to
	}
}

// next waits for the next event. It reports false when there is none and won't
// be.
func (o *Outbox) next() (Event, bool) {
	for {
		o.mu.Lock()
		if len(o.queue) > 0 {
			e := o.queue[0]
			o.queue = o.queue[1:]
			o.mu.Unlock()
			return e, true
		}
		closed := o.closed
		o.mu.Unlock()
		if closed {
			return Event{}, false
		}
		<-o.more
	}
}

func (o *Outbox) deliver(ctx context.Context, e Event) {
	log := o.log.With(zap.String("job", e.Job), zap.String("run", e.ID))
	err := ctx.Err()
	if err == nil {
		err = o.to.Deliver(ctx, e)
	}
	if err != nil {
		log.Error("not told of a run", zap.Error(err))
		return
	}
	log.Info("told of a run")
}

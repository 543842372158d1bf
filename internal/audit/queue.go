package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxQueue bounds the records that wait for a device that hangs. A caller
	// waits for its record, so a device that is well never has so many.
	maxQueue = 4096
	// maxBatch bounds the records that share one fsync.
	maxBatch = 256
)

var (
	errHangs = fmt.Errorf("no answer within %v", patience)
	errFull  = errors.New("hangs, and too many records wait for it")
)

// A device holds lines. Its methods are called by one goroutine; String names
// it, for errors.
type device interface {
	fmt.Stringer
	// commit makes records durable in their order and returns how many are; an
	// error tells what kept the others.
	commit(records []Record) (int, error)
	// lastHead returns the last record committed.
	lastHead() Head
	close() error
}

// A queue hands records to one device, from a goroutine of its own: whatever a
// write(2) does, nobody else waits for longer than he wants to. Records that
// come while the device is busy are committed together.
type queue struct {
	device  device
	entries chan *entry
	woken   chan struct{} // asks the device to commit nothing
	done    chan struct{} // closed after the goroutine's end
	closing error         // of the device; read after done

	mu    sync.Mutex
	since time.Time // when the oldest record of the commit under way came; zero = idle
	err   error     // of the last commit
	head  Head
}

// An entry is one record on its way to one device.
type entry struct {
	queue  *queue
	record Record
	answer chan error  // takes one
	taken  atomic.Bool // by the queue, or back by its owner
}

// newQueue returns a queue that nobody runs yet. A fault of the device is told
// until a commit succeeds.
func newQueue(d device, fault error) *queue {
	return &queue{device: d, entries: make(chan *entry, maxQueue), woken: make(chan struct{}, 1), done: make(chan struct{}), err: fault}
}

// run commits what comes until entries is closed and empty.
func (q *queue) run() {
	defer close(q.done)
	for {
		select {
		case <-q.woken:
			_, _ = q.do(nil, time.Now())
		case first, ok := <-q.entries:
			if !ok {
				q.closing = q.device.close()
				return
			}
			q.commit(q.gather(first))
		}
	}
}

// wake lets the device look after itself before the next record comes.
func (q *queue) wake() {
	select {
	case q.woken <- struct{}{}:
	default: // it will, soon
	}
}

// gather returns first and what waits behind it, less what was withdrawn.
func (q *queue) gather(first *entry) []*entry {
	batch := make([]*entry, 0, 1+min(len(q.entries), maxBatch))
	for e := first; ; {
		if e.taken.CompareAndSwap(false, true) {
			batch = append(batch, e)
		}
		if len(batch) == maxBatch {
			return batch
		}
		select {
		case next, ok := <-q.entries:
			if !ok {
				return batch
			}
			e = next
		default:
			return batch
		}
	}
}

func (q *queue) commit(batch []*entry) {
	if len(batch) == 0 {
		return
	}
	records := make([]Record, len(batch))
	for i, e := range batch {
		records[i] = e.record
	}
	n, err := q.do(records, records[0].Time)
	for i, e := range batch {
		if i < n {
			e.answer <- nil
		} else {
			e.answer <- err
		}
	}
}

// do has the device commit records, the oldest of which came at since.
func (q *queue) do(records []Record, since time.Time) (int, error) {
	q.mu.Lock()
	q.since = since
	q.mu.Unlock()
	n, err := q.device.commit(records)
	if err != nil {
		err = fmt.Errorf("%s: %w", q.device, err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.since, q.err = time.Time{}, err
	if n > 0 {
		q.head = q.device.lastHead()
	}
	return n, err
}

// submit puts r into the queue. One that hangs gets it too, in case it comes
// back to life, but is not waited for.
func (q *queue) submit(r Record) *entry {
	e := &entry{queue: q, record: r, answer: make(chan error, 1)}
	select {
	case q.entries <- e:
	default:
		e.taken.Store(true)
		e.answer <- fmt.Errorf("%s: %w", q.device, errFull)
	}
	return e
}

// wait returns what became of e. An entry in a queue that hangs is not waited
// for.
func (e *entry) wait(ctx context.Context) error {
	if !e.queue.hangs() {
		select {
		case err := <-e.answer:
			return err
		case <-ctx.Done():
		}
	}
	select {
	case err := <-e.answer: // both may have come
		return err
	default:
	}
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("%s: %w", e.queue.device, err)
	}
	return fmt.Errorf("%s: %w", e.queue.device, errHangs)
}

// withdraw takes e back unless the device is at it already.
func (e *entry) withdraw() { e.taken.Store(true) }

func (q *queue) hangs() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.since.IsZero() && time.Since(q.since) >= patience
}

// fault returns what is wrong with the device: the commit under way takes too
// long, or the last one failed.
func (q *queue) fault() error {
	if q.hangs() {
		return fmt.Errorf("%s: %w", q.device, errHangs)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}

func (q *queue) lastHead() Head {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.head
}

// stop waits for the end of a queue whose channel is closed.
func (q *queue) stop(ctx context.Context) error {
	select {
	case <-q.done:
		return q.closing
	case <-ctx.Done():
		return fmt.Errorf("%s: left behind: %w", q.device, context.Cause(ctx))
	}
}

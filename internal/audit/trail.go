package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/credsync/credsync/internal/credential"
)

// patience is how long a destination may take over one record. With a write in
// flight it still fits into the 10 s within which a stopped daemon is gone.
const patience = 3 * time.Second

var errClosed = errors.New("audit trail is closed")

// Options say where a [Trail] is kept.
type Options struct {
	Host string // written into each record
	// Key makes the chain an HMAC; zero = plain SHA-256.
	Key credential.Secret
	// Files are paths. A file is created with mode 0600 and continued under a
	// lock, so that several processes share one file and one chain. It may be
	// renamed at any time, as logrotate does; the new one goes on with the
	// chain. It is durable when fsync says so.
	Files []string
	// Head is where the chain of the first file ended, as far as is known from
	// elsewhere. A file without a record goes on from there, or from the file
	// before the rotation where that is found beside it and goes further.
	Head Head
	// Streams are durable when a write returns.
	Streams []Stream
}

// A Stream is a destination that can only be written to, such as standard
// output. Each Trail starts a chain of its own there, and does not close it.
type Stream struct {
	Name string // for errors
	io.Writer
}

// A Trail takes records for all its destinations. It is safe for concurrent
// use.
type Trail struct {
	host   string
	queues []*queue
	runs   runs
	ledger *ledger // of the first file; nil = none

	mu     sync.Mutex // guards closed, and keeps records in one order everywhere
	closed bool
}

// Open returns a Trail that writes to the destinations of o, of which there
// must be one. A file that can't be opened now is tried again with each record;
// Open fails where that leaves no destination, and with [ErrUnfit] where a file
// does not go together with o. The caller closes the Trail.
func Open(o Options) (*Trail, error) {
	t := &Trail{host: o.Host}
	var faults []error
	for i, path := range o.Files {
		f := newFile(path, o.Key)
		f.runs = &t.runs
		if i == 0 {
			f.chain.head = o.Head
			t.ledger = &ledger{path: path, seal: newSeal(o.Key)}
		}
		err := f.ensureOpen()
		if err == nil {
			err = fit(f.disk, f.chain.seal)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", f, cause(err))
			faults = append(faults, err)
		}
		t.queues = append(t.queues, newQueue(f, err))
	}
	for _, s := range o.Streams {
		t.queues = append(t.queues, newQueue(newStream(s, o.Key), nil))
	}
	switch len(t.queues) {
	case 0:
		return nil, errors.New("audit trail: no destination; name a file or a stream")
	case len(faults):
		return nil, fmt.Errorf("audit trail: %w", errors.Join(faults...))
	}
	t.start()
	if err := errors.Join(faults...); errors.Is(err, ErrUnfit) {
		return nil, fmt.Errorf("audit trail: %w", errors.Join(err, t.Close()))
	}
	return t, nil
}

func (t *Trail) start() {
	for _, q := range t.queues {
		go q.run()
	}
}

// Append writes r to every destination and returns nil once it is durable on at
// least one. It waits for the others as long as they are not known to hang, 3 s
// at most. An error means that the record is durable nowhere: what it announces
// must not be done. Nothing is retried; what a hanging destination had
// already begun to write may still arrive there.
//
// Append sets Time, Seq, Host, Prev and Hash.
func (t *Trail) Append(ctx context.Context, r Record) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("audit trail: %w", err)
	}
	entries, err := t.submit(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errHangs)
	defer cancel()
	durable := false
	faults := make([]error, len(entries))
	for i, e := range entries {
		faults[i] = e.wait(ctx)
		durable = durable || faults[i] == nil
	}
	if durable {
		return nil
	}
	for _, e := range entries {
		e.withdraw()
	}
	return fmt.Errorf("audit trail: %w", errors.Join(faults...))
}

// submit hands r to all queues.
func (t *Trail) submit(r Record) ([]*entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, errClosed
	}
	r.Time, r.Host = time.Now(), t.host
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("audit trail: %w", err)
	}
	t.runs.note(r)
	entries := make([]*entry, len(t.queues))
	for i, q := range t.queues {
		entries[i] = q.submit(r)
	}
	return entries, nil
}

// Abandoned yields what the first file holds of announcements ([WriteIntent], and
// [Adopt] without an outcome) that nothing concludes, whose run is dead, and that
// wanted says yes to. Who is handed one looks at what became of it and appends
// the conclusion, or leaves it: then it is found again by the next who asks.
// While the loop runs, here and in other processes, nobody else is handed the
// same. An error ends it.
//
// A run is dead after its [RunFinish] and with its process. The file before the
// last rotation is looked at too, if it is there and not compressed. Nothing is
// found where the file can't show who is alive: on streams, and on systems that
// have no locks for it (macOS, the BSDs).
func (t *Trail) Abandoned(ctx context.Context, wanted func(Record) bool) iter.Seq2[Record, error] {
	if t.ledger == nil {
		return func(func(Record, error) bool) {}
	}
	return t.ledger.abandoned(ctx, wanted)
}

// Reopen lets go of files that were renamed, and opens those that are at the
// paths now. The next record would do so too. Reopen waits for nothing.
func (t *Trail) Reopen() {
	for _, q := range t.queues {
		if _, ok := q.device.(*file); ok {
			q.wake()
		}
	}
}

// Head returns the last record that this Trail appended to its first file or,
// without files, to its first stream. It is zero before the first record.
func (t *Trail) Head() Head { return t.queues[0].lastHead() }

// Err returns what is wrong with the destinations now, nil when all are well.
// Append still works as long as one is.
func (t *Trail) Err() error {
	var faults []error
	for _, q := range t.queues {
		faults = append(faults, q.fault())
	}
	return errors.Join(faults...)
}

// Close ends the Trail once its destinations hold what was appended. One that
// hangs in a write can't be interrupted: after 3 s Close leaves it behind, with
// its goroutine and what it still holds, and says so. Further calls do nothing.
func (t *Trail) Close() error {
	if !t.shut() {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), patience, errHangs)
	defer cancel()
	var faults []error
	for _, q := range t.queues {
		faults = append(faults, q.stop(ctx))
	}
	return errors.Join(faults...)
}

// shut ends what comes in. It reports false if that was done before.
func (t *Trail) shut() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.closed = true
	for _, q := range t.queues {
		close(q.entries)
	}
	return true
}

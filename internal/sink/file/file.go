// Package file is the sink of plain files: each secret is a file of its own in
// one directory, for services that read their credentials from a disk.
//
// Everything happens through an [os.Root], so that no name leads out of the
// directory. What stands at a name and is no regular file of a single link (a
// symbolic link, a FIFO, a directory, a file hard-linked elsewhere) is foreign:
// it is neither followed nor replaced.
//
// # The mark
//
// Beside the file NAME stands the mark .NAME.credsync, a JSON object of 4 KiB
// at most. This is its format 1; a mark that has another one, or a field not
// listed here, is not understood and its file is left alone.
//
//	format   1
//	owner    the instance that wrote the file
//	skill    the ID of the skill whose pair it holds
//	current  the value that stands there, as far as we know
//	next     the value that is being put there, while that goes on
//
// current and next have version (counting up from 1), fingerprint (or "none"
// for a value that was adopted, not written), key (the ID of the fingerprint's
// key), and digest, the SHA-256 of the file's bytes in hex.
//
// # Writing
//
// A write holds the directory's advisory lock. It makes a temporary file,
// fsynced, with mode and group set; adds next to the mark, durably; renames the
// temporary file to its name, which replaces nothing where the file is new; and
// makes next the current value of the mark. After a crash between any two of
// these the next look knows what stands there:
//
//   - no mark: nothing of ours; a temporary file goes with the next write
//   - next alone and no file: claimed and never filled
//   - next alone and a file of another digest: foreign, it came before ours
//   - next alone and a file of its digest: ours, and to be put again, which
//     confirms the mark and no more
//   - current, and a file of its digest or of next's: ours and current
//   - current, and anything else or nothing: ours, altered
//
// A file whose mode or group is not the configured one counts as altered too:
// so a change of these settings reaches every file with the next run, and a
// chmod by hand doesn't last.
//
// # What is not promised
//
// Who writes without the lock between our last look, right before the rename,
// and the rename itself is overwritten: that is microseconds, and no file system
// has a conditional rename. A file system that hangs makes a call hang,
// whatever its context says. Outside Linux and macOS hard links are not told
// apart, and on Windows the lock holds within one process only.
package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"filippo.io/age"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
)

// kind is what the configuration calls this sink.
const kind = "file"

// A Sink keeps secrets as files. [Open] makes it.
type Sink struct {
	dir        string
	names      sink.Template
	mode       fs.FileMode
	dirMode    fs.FileMode
	gid        int // -1: whatever the file system gives
	recipients []age.Recipient
	observe    wire.Observer
	turn       chan struct{} // holds one token: whose turn it is to write
}

var (
	_ sink.Sink     = (*Sink)(nil)
	_ sink.Adopter  = (*Sink)(nil)
	_ sink.Orphaner = (*Sink)(nil)
	_ sink.Checker  = (*Sink)(nil)
)

// Open returns the sink that c describes. It touches no disk: the directory is
// made at the first write. The error names a setting that [Config.Faults] has
// more to say about.
//
// Each call of a method is observed once, under its name in lower case, with
// the HTTP status nearest to its end: 200 done, 400 invalid, 403 denied, 409
// conflict or foreign, 503 unavailable, 0 its context ended. One whose context
// was over before it is not.
func Open(c Config, observe wire.Observer) (*Sink, error) {
	settings, faults := c.parse()
	if len(faults) > 0 {
		return nil, fmt.Errorf("%s: %s", faults[0].Field, faults[0].Problem)
	}
	settings.observe = observe
	settings.turn = make(chan struct{}, 1)
	return &settings, nil
}

// Inspect implements [sink.Sink]. It reads the file's bytes to hash them and
// keeps nothing of them. It takes no lock.
func (s *Sink) Inspect(ctx context.Context, name string) (state sink.State, err error) {
	err = s.observed(ctx, "inspect", func() error {
		state, err = s.inspect(ctx, name)
		return err
	})
	return state, err
}

func (s *Sink) inspect(ctx context.Context, name string) (sink.State, error) {
	if err := validName(name); err != nil {
		return sink.State{}, err
	}
	d, err := s.open()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sink.State{}, nil
	case err != nil:
		return sink.State{}, err
	}
	defer d.close()
	now, err := d.look(ctx, name)
	return now.state, err
}

// Put implements [sink.Sink].
func (s *Sink) Put(ctx context.Context, name string, r sink.Record, prev sink.State) (state sink.State, err error) {
	err = s.observed(ctx, "put", func() error {
		state, err = s.put(ctx, name, r, prev)
		return err
	})
	return state, err
}

func (s *Sink) put(ctx context.Context, name string, r sink.Record, prev sink.State) (sink.State, error) {
	content, err := s.content(r)
	if err != nil {
		return sink.State{}, err
	}
	d, now, err := s.lookLocked(ctx, name)
	if err != nil {
		return sink.State{}, err
	}
	defer d.unlock()
	switch {
	case now.state.Guard != "":
		return sink.State{}, fmt.Errorf("%w: %s", sink.ErrForeign, now.state.Guard)
	case now.state != (sink.State{}) && now.state.Owner != r.Owner:
		return sink.State{}, sink.ErrForeign
	case now.state != prev:
		return sink.State{}, sink.ErrConflict
	}
	return d.write(ctx, name, now, r, content)
}

// Adopt implements [sink.Adopter]. What is no regular file of a single link
// can't be adopted; a mark that is damaged is replaced.
func (s *Sink) Adopt(ctx context.Context, name string, owner sink.Owner, prev sink.State) (state sink.State, err error) {
	err = s.observed(ctx, "adopt", func() error {
		state, err = s.adopt(ctx, name, owner, prev)
		return err
	})
	return state, err
}

func (s *Sink) adopt(ctx context.Context, name string, owner sink.Owner, prev sink.State) (sink.State, error) {
	d, now, err := s.lookLocked(ctx, name)
	if err != nil {
		return sink.State{}, err
	}
	defer d.unlock()
	switch {
	case now.state != prev:
		return sink.State{}, sink.ErrConflict
	case now.file.obstacle != "":
		return sink.State{}, fmt.Errorf("%w: %s", sink.ErrForeign, now.file.obstacle)
	case now.file.info == nil:
		return sink.State{}, fmt.Errorf("%w: no file is there", sink.ErrInvalid)
	case now.state.Owner == owner:
		return now.state, nil
	}
	return d.adopt(ctx, name, now, owner)
}

// lookLocked looks at name under the directory's lock; the caller unlocks.
func (s *Sink) lookLocked(ctx context.Context, name string) (*directory, looked, error) {
	if err := validName(name); err != nil {
		return nil, looked{}, err
	}
	d, err := s.lock(ctx)
	if err != nil {
		return nil, looked{}, err
	}
	now, err := d.look(ctx, name)
	if err != nil {
		d.unlock()
		return nil, looked{}, err
	}
	return d, now, nil
}

// observed frames one operation: the context before it, its error, its end.
func (s *Sink) observed(ctx context.Context, operation string, work func() error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	start := time.Now()
	err := translate(work())
	s.observe.Observe(kind, operation, status(err), time.Since(start))
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}

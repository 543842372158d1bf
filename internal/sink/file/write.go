package file

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"filippo.io/age"

	"github.com/credsync/credsync/internal/sink"
)

// MaxBody is the largest body in bytes that a Sink takes.
const MaxBody = 1 << 20

// content returns the bytes of the file that is to hold r: its body, encrypted
// where there are recipients.
func (s *Sink) content(r sink.Record) ([]byte, error) {
	body := []byte(r.Body.Reveal())
	if len(body) > MaxBody {
		return nil, fmt.Errorf("%w: a value of more than %d bytes", sink.ErrInvalid, MaxBody)
	}
	if len(s.recipients) == 0 {
		return body, nil
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, s.recipients...)
	if err != nil {
		return nil, errors.New("age can't encrypt to these recipients")
	}
	if _, err := w.Write(body); err != nil {
		return nil, errors.New("age can't encrypt the value")
	}
	if err := w.Close(); err != nil {
		return nil, errors.New("age can't encrypt the value")
	}
	return sealed.Bytes(), nil
}

// digest returns what a mark calls the digest of content.
func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// write puts content at name and marks it as r, where now was found under the
// lock that is still held.
func (d *directory) write(ctx context.Context, name string, now looked, r sink.Record, content []byte) (sink.State, error) {
	if kept := now.standing(r); kept != nil {
		if now.mark.Next == nil {
			return now.state, nil
		}
		return d.finish(ctx, name, newMark(r.Owner, kept, nil))
	}
	next := &value{Version: now.following(), Fingerprint: r.Fingerprint, Key: r.Key, Digest: digest(content)}
	if err := d.create(temporaryFile, content, d.sink.mode, d.sink.gid); err != nil {
		return sink.State{}, err
	}
	if err := d.replace(name, now, newMark(r.Owner, now.last(), next)); err != nil {
		_ = d.root.Remove(temporaryFile)
		return sink.State{}, err
	}
	return d.finish(ctx, name, newMark(r.Owner, next, nil))
}

// standing returns the value of r where it stands there whole, confirmed or not.
func (l looked) standing(r sink.Record) *value {
	if l.file.adrift || l.state.Owner != r.Owner {
		return nil
	}
	for _, v := range []*value{l.mark.Current, l.mark.Next} {
		if v != nil && v.Digest == l.file.digest && v.Fingerprint == r.Fingerprint && v.Key == r.Key {
			return v
		}
	}
	return nil
}

// last returns what the mark knows of the value to be replaced: the one that
// stands there, else the one that should.
func (l looked) last() *value {
	if v := l.mark.Next; v != nil && v.Digest == l.file.digest {
		return v
	}
	return l.mark.Current
}

// following returns the version of the next value: one more than that of the
// value that stands there, or than any that may have stood there.
func (l looked) following() int {
	switch last := l.last(); {
	case !l.state.Exists:
		return 1
	case last != nil && last.Digest == l.file.digest:
		return last.Version + 1
	}
	return l.mark.latest() + 1
}

// replace moves the temporary file to name, under a mark that knows the old
// value and the new one. Where somebody without the lock came before us, it
// puts the mark back as it was.
func (d *directory) replace(name string, now looked, pending mark) error {
	err := d.setMark(name, pending)
	if err == nil {
		err = syncDir(d.self)
	}
	if err == nil {
		err = d.move(name, now.file)
	}
	if err != nil {
		d.resetMark(name, now.mark)
	}
	return err
}

// move renames the temporary file to name if what was found there is there still.
func (d *directory) move(name string, was found) error {
	if was.info == nil {
		err := d.renameNew(temporaryFile, name)
		if errors.Is(err, fs.ErrExist) {
			return sink.ErrConflict
		}
		return err
	}
	is, err := d.find(name)
	if err != nil {
		return err
	}
	if is.digest != was.digest || is.obstacle != "" {
		return sink.ErrConflict
	}
	return d.root.Rename(temporaryFile, name)
}

// finish makes m the mark of name and what was renamed durable, and looks.
func (d *directory) finish(ctx context.Context, name string, m mark) (sink.State, error) {
	if err := d.setMark(name, m); err != nil {
		return sink.State{}, err
	}
	if err := syncDir(d.self); err != nil {
		return sink.State{}, err
	}
	// It is done: a context that ends now doesn't make it a failure.
	now, err := d.look(context.WithoutCancel(ctx), name)
	return now.state, err
}

// adopt marks what was found at name as owner's, of unknown value.
func (d *directory) adopt(ctx context.Context, name string, now looked, owner sink.Owner) (sink.State, error) {
	current := &value{Version: now.mark.latest() + 1, Fingerprint: unknown, Digest: now.file.digest}
	return d.finish(ctx, name, newMark(owner, current, nil))
}

// linkNew moves a file to a new name where no rename refuses to replace: as a
// second link first.
func (d *directory) linkNew(from, to string) error {
	if err := d.root.Link(from, to); err != nil {
		return err
	}
	_ = d.root.Remove(from) // else the next sweep does
	return nil
}

package awssm

import (
	"context"
	"fmt"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// Adopt sets the mark of owner on the secret at name. It costs two calls. AWS
// has no conditional tagging, so what changes between the two is not seen; the
// value is not touched in any case.
//
// The errors are those of Put; a name where nothing stands wraps
// [sink.ErrConflict], as nothing can be in a state that could be adopted.
func (s *Sink) Adopt(ctx context.Context, name string, owner sink.Owner, prev sink.State) (sink.State, error) {
	if err := checkName(name); err != nil {
		return sink.State{}, err
	}
	arn := prev.Ref
	switch {
	case !isAbout(arn, name):
		return sink.State{}, fmt.Errorf("adopt: %w: nothing was there to adopt", sink.ErrConflict)
	case prev.Guard != "":
		return sink.State{}, fmt.Errorf("adopt: %w: %s", sink.ErrForeign, prev.Guard)
	case prev.Deleted: // AWS tags nothing that is scheduled for deletion
		return sink.State{}, fmt.Errorf("adopt: %w: this secret is scheduled for deletion; restore it first", sink.ErrForeign)
	}
	d, err := s.describe(ctx, arn)
	if err != nil {
		return sink.State{}, explainWrite(ctx, "adopt", err)
	}
	if s.state(d) != prev {
		return sink.State{}, fmt.Errorf("adopt: %w", sink.ErrConflict)
	}
	s.recent.add(name)
	if err := s.tag(ctx, arn, ownerTags(owner)...); err != nil {
		return sink.State{}, explainWrite(ctx, "adopt", err)
	}
	now := prev
	now.Owner, now.Exists = owner, prev.Version != ""
	if f := credential.Fingerprint(now.Version); f.Valid() {
		now.Fingerprint = f
	}
	return now, nil
}

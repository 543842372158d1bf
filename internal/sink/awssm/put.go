package awssm

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/credsync/credsync/internal/sink"
)

// Put stores r at name. A new secret costs one call, a new value two, a restore
// and a new key of fingerprints one more each.
//
// A write that loses against another leaves a version without AWSCURRENT
// behind, which nobody reads and AWS removes in time.
func (s *Sink) Put(ctx context.Context, name string, r sink.Record, prev sink.State) (sink.State, error) {
	if err := fits(name, r); err != nil {
		return sink.State{}, err
	}
	if err := ctx.Err(); err != nil {
		return sink.State{}, fmt.Errorf("write: %w", err)
	}
	s.recent.add(name)
	if prev.Ref == "" {
		return s.create(ctx, name, r)
	}
	switch {
	case !isAbout(prev.Ref, name):
		return sink.State{}, fmt.Errorf("write: %w: it was decided on another secret", sink.ErrConflict)
	case prev.Owner != r.Owner:
		return sink.State{}, fmt.Errorf("write: %w", sink.ErrForeign)
	case prev.Guard != "":
		return sink.State{}, fmt.Errorf("write: %w: %s", sink.ErrForeign, prev.Guard)
	}
	return s.update(ctx, prev.Ref, r, prev)
}

// fits returns an error that wraps [sink.ErrInvalid] where AWS can't hold r at
// name.
func fits(name string, r sink.Record) error {
	if err := checkName(name); err != nil {
		return err
	}
	switch {
	case len(r.Body.Reveal()) > maxBody:
		return fmt.Errorf("%w: the value is larger than 64 KiB", sink.ErrInvalid)
	case !r.Fingerprint.Valid():
		return fmt.Errorf("%w: the record has no fingerprint", sink.ErrInvalid)
	}
	return nil
}

// update writes r to the secret with arn, which is ours and was in the state
// prev.
func (s *Sink) update(ctx context.Context, arn string, r sink.Record, prev sink.State) (sink.State, error) {
	if prev.Deleted {
		out, err := s.api.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: &arn})
		if err == nil && aws.ToString(out.ARN) == "" {
			err = errEmptyAnswer
		}
		if err != nil {
			return sink.State{}, explainWrite(ctx, "restore", err)
		}
	}
	// The tag comes first: what fails after it is done again by the next run, but
	// nobody would come back for a tag behind a value that is current.
	if prev.Key != r.Key {
		if err := s.tag(ctx, arn, newTag(tagKey, r.Key)); err != nil {
			return sink.State{}, explainWrite(ctx, "note the fingerprint's key", err)
		}
	}
	if err := s.replace(ctx, arn, r, prev.Version); err != nil {
		return sink.State{}, err
	}
	return written(arn, r), nil
}

// replace makes the version of r the current one, if from is it, or if there is
// none where from is "".
func (s *Sink) replace(ctx context.Context, arn string, r sink.Record, from string) error {
	for again := true; ; again = false {
		isCurrent, err := s.stage(ctx, arn, r)
		if isCurrent || err != nil {
			return err
		}
		err = s.move(ctx, arn, from, string(r.Fingerprint))
		if !isCode(err, notFound) && !isCode(err, notAccepted) {
			return explainWrite(ctx, "make the new version current", err)
		}
		d, err := s.describe(ctx, arn)
		if err != nil {
			return explainWrite(ctx, "look again", err)
		}
		_, staged := d.VersionIdsToStages[string(r.Fingerprint)]
		switch at := current(d); {
		case at == string(r.Fingerprint): // we moved it, and the answer was lost
			return nil
		case at == from && !staged && again: // AWS removed it: it bore no label, see stage
		default:
			return s.stolen(d, r.Owner)
		}
	}
}

// stage puts the version of r without touching the current one, and reports
// whether it is the current one already: as the first of its secret, or since
// an earlier attempt. A version that is there already stays as it is, label or
// no label, so one that stood there long ago may vanish at any time.
func (s *Sink) stage(ctx context.Context, arn string, r sink.Record) (isCurrent bool, err error) {
	out, err := s.api.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId:           &arn,
		ClientRequestToken: aws.String(string(r.Fingerprint)),
		SecretString:       aws.String(r.Body.Reveal()),
		VersionStages:      []string{stagePending},
	})
	if err == nil && aws.ToString(out.VersionId) != string(r.Fingerprint) {
		err = errEmptyAnswer
	}
	if err != nil {
		return false, explainWrite(ctx, "put", err)
	}
	return slices.Contains(out.VersionStages, stageCurrent), nil
}

// move takes AWSCURRENT from one version to another. Where from is "" it
// succeeds only if no version holds the label. Its errors are the SDK's.
func (s *Sink) move(ctx context.Context, arn, from, to string) error {
	in := &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: &arn, VersionStage: aws.String(stageCurrent), MoveToVersionId: &to,
	}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	out, err := s.api.UpdateSecretVersionStage(ctx, in)
	if err == nil && aws.ToString(out.ARN) == "" {
		return errEmptyAnswer
	}
	return err
}

// tag sets tags on the secret with arn. Its errors are the SDK's.
func (s *Sink) tag(ctx context.Context, arn string, tags ...types.Tag) error {
	_, err := s.api.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: &arn, Tags: tags})
	return err
}

// stolen is the error where d stands instead of what owner's write was decided
// on.
func (s *Sink) stolen(d *secretsmanager.DescribeSecretOutput, owner sink.Owner) error {
	if s.state(d).Owner != owner {
		return fmt.Errorf("write: %w", sink.ErrForeign)
	}
	return fmt.Errorf("write: %w", sink.ErrConflict)
}

package awssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/credsync/credsync/internal/sink"
)

// create makes the secret called name, with value and mark in one call.
func (s *Sink) create(ctx context.Context, name string, r sink.Record) (sink.State, error) {
	tags := append(ownerTags(r.Owner), newTag(tagKey, r.Key))
	for key, value := range s.config.Tags {
		tags = append(tags, newTag(key, value))
	}
	in := &secretsmanager.CreateSecretInput{
		Name:               &name,
		ClientRequestToken: aws.String(string(r.Fingerprint)),
		SecretString:       aws.String(r.Body.Reveal()),
		Tags:               tags,
	}
	if s.config.KMSKeyID != "" {
		in.KmsKeyId = &s.config.KMSKeyID
	}
	out, err := s.api.CreateSecret(ctx, in)
	switch {
	case isCode(err, alreadyExists), isCode(err, wrongState):
		return s.lost(ctx, name, r)
	case err == nil && (aws.ToString(out.ARN) == "" || aws.ToString(out.Name) != name):
		err = errEmptyAnswer
	}
	if err != nil {
		return sink.State{}, explain(ctx, "create", err)
	}
	// Another version: an attempt of ours made the secret, which moved on since.
	if aws.ToString(out.VersionId) != string(r.Fingerprint) {
		return s.lost(ctx, name, r)
	}
	return written(aws.ToString(out.ARN), r), nil
}

// lost tells why r can't be created at name: what stands there now is ours, by
// an attempt whose answer was lost, or it is a conflict, or foreign.
func (s *Sink) lost(ctx context.Context, name string, r sink.Record) (sink.State, error) {
	d, err := s.describe(ctx, name)
	if err != nil {
		return sink.State{}, explainWrite(ctx, "look again", err)
	}
	if now := s.state(d); now == written(aws.ToString(d.ARN), r) {
		return now, nil
	}
	return sink.State{}, s.stolen(d, r.Owner)
}

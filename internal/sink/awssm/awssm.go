// Package awssm is the sink that keeps credentials in AWS Secrets Manager. It
// never reads a value: the mark stands in tags, and the fingerprint of a value
// is the ID of the version that holds it, because the token of an idempotent
// write becomes the VersionId (AWS: PutSecretValue API reference). So one
// DescribeSecret tells whose a secret is and what it holds, and ListSecrets
// tells it of a hundred at once.
//
// A write is conditional. A new version is staged under a label of our own,
// then AWSCURRENT is moved to it from the version that was inspected;
// UpdateSecretVersionStage refuses where that one doesn't hold the label any
// more. A crash in between leaves the old value current, and the next run
// finishes without another version.
//
// The mark itself is not part of that condition: AWS has no write that depends
// on a tag but through IAM. The policy that credsync prints makes each writing
// call depend on the tag credsync:owner.
package awssm

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
)

// Kind is how the configuration, the metrics and the fingerprints name this
// kind of sink.
const Kind = "aws_secrets_manager"

// maxBody is the largest value that AWS takes, in bytes (AWS: Secrets Manager
// quotas).
const maxBody = 65536

// maxName is the longest name that AWS takes, in characters. It is not left to
// namePattern: a count of 512 there makes every start of credsync slower.
const maxName = 512

// A Sink keeps each credential in one secret of an account and region. It is
// safe for concurrent use. The AWS SDK retries what is transient, three
// attempts for a request, and nobody else does. Open makes it.
type Sink struct {
	api    api
	config Config
	bases  bases
	recent recent
}

var (
	_ sink.Sink    = (*Sink)(nil)
	_ sink.Lister  = (*Sink)(nil)
	_ sink.Adopter = (*Sink)(nil)
	_ sink.Checker = (*Sink)(nil)
)

// Options is what a sink gets from the program and not from the configuration.
// The zero Options is ready to use.
type Options struct {
	Observe wire.Observer // hears of each attempt; nil is allowed

	bases bases                // made by Open
	sts   string               // endpoint of STS, in tests
	delay retry.BackoffDelayer // between attempts, in tests
}

// Open returns the sink of c, which has no faults. It reads the file of
// authorities and sends nothing: identity and access show at the first use, or
// by [Sink.Check].
func Open(c Config, o Options) (*Sink, error) {
	if faults := c.Faults(); len(faults) > 0 {
		return nil, fmt.Errorf("aws_secrets_manager: %s: %s", faults[0].Field, faults[0].Problem)
	}
	var err error
	if o.bases, err = newBases(c); err != nil {
		return nil, fmt.Errorf("aws_secrets_manager: %w", err)
	}
	return &Sink{api: newClient(c, o), config: c, bases: o.bases}, nil
}

// Fresh reports whether the file of authorities still holds what Open read: if
// not, Open makes another sink of the same configuration.
func (s *Sink) Fresh() bool { return s.bases.secrets.Fresh() }

// CloseIdleConnections closes the connections that no call uses.
func (s *Sink) CloseIdleConnections() {
	s.bases.secrets.CloseIdleConnections()
	s.bases.sts.CloseIdleConnections()
}

// Inspect tells what is at name. It costs one DescribeSecret.
func (s *Sink) Inspect(ctx context.Context, name string) (sink.State, error) {
	if err := checkName(name); err != nil {
		return sink.State{}, err
	}
	d, err := s.describe(ctx, name)
	switch {
	case isCode(err, notFound):
		return sink.State{}, nil
	case err != nil:
		return sink.State{}, explain(ctx, "inspect", err)
	case aws.ToString(d.Name) != name:
		return sink.State{}, fmt.Errorf("inspect: %w: the answer is about another secret", sink.ErrUnavailable)
	}
	return s.state(d), nil
}

// describe asks for the secret that id, a name or an ARN, stands for. Its
// errors are the SDK's, an answer without content aside.
func (s *Sink) describe(ctx context.Context, id string) (*secretsmanager.DescribeSecretOutput, error) {
	d, err := s.api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
	if err == nil && aws.ToString(d.ARN) == "" {
		return nil, errEmptyAnswer
	}
	return d, err
}

// errEmptyAnswer is what an answer without the content that AWS promises comes
// to: the SDK takes an empty body for a success.
var errEmptyAnswer = errors.New("the answer lacks what AWS promises")

var (
	namePattern = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]+$`)
	// arnLikeTail is what AWS takes for the random end of an ARN (AWS:
	// CreateSecret API reference, Name).
	arnLikeTail = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)
)

// checkName returns an error that wraps [sink.ErrInvalid] where name can't be
// that of a secret.
func checkName(name string) error {
	switch {
	case len(name) > maxName || !namePattern.MatchString(name):
		return fmt.Errorf("%w: the name of a secret is 1 to 512 letters, digits and /_+=.@-", sink.ErrInvalid)
	case arnLikeTail.MatchString(name):
		return fmt.Errorf("%w: the name of a secret must not end in a hyphen and six characters, because AWS takes them for the end of an ARN", sink.ErrInvalid)
	}
	return nil
}

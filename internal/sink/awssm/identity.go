package awssm

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"github.com/credsync/credsync/internal/sink"
)

// sessionName is what CloudTrail shows beside an assumed role.
const sessionName = "credsync"

// An identity gives credentials and explains why there are none. It hides from
// the retryer of the request that asks whether another attempt could help,
// because what it asks retries by itself.
type identity struct{ aws.CredentialsProvider }

// newIdentity returns the role of c or, without one, what the SDK's own chain
// finds.
func newIdentity(c Config, o Options) identity {
	found := &chain{config: c, options: o}
	if c.RoleARN == "" {
		return identity{found}
	}
	return identity{aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(newSTS(c, o, identity{found}), c.RoleARN, func(ro *stscreds.AssumeRoleOptions) {
		ro.RoleSessionName = sessionName
		if c.ExternalID != "" {
			ro.ExternalID = &c.ExternalID
		}
	}))}
}

// Retrieve implements [aws.CredentialsProvider]. Its errors are identityErrors.
func (i identity) Retrieve(ctx context.Context) (aws.Credentials, error) {
	credentials, err := i.CredentialsProvider.Retrieve(ctx)
	if err == nil {
		return credentials, nil
	}
	if known, ok := errors.AsType[*identityError](err); ok {
		return aws.Credentials{}, known
	}
	call, ok := errors.AsType[*smithy.OperationError](err)
	if ok && call.ServiceID != machineService || ctx.Err() != nil {
		return aws.Credentials{}, &identityError{explain(ctx, "get credentials", err)}
	}
	return aws.Credentials{}, &identityError{fmt.Errorf("get credentials: %w: the AWS SDK finds none; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or profile, or give this machine or container a role", sink.ErrDenied)}
}

// machineService is what the SDK calls the metadata service of EC2, the last
// link of its chain: elsewhere there is no such service, which is no outage.
const machineService = "ec2imds"

// An identityError says why there are no credentials, in the terms of
// [Sink]'s errors.
type identityError struct{ err error }

func (e *identityError) Error() string { return e.err.Error() }

// A chain finds credentials where the AWS SDK looks for them, at the first use
// and, where there were none, at the next. All it asks of STS goes through our
// own client: the SDK's would heed AWS_ENDPOINT_URL and AWS_CA_BUNDLE.
type chain struct {
	config  Config
	options Options

	mu    sync.Mutex
	found aws.CredentialsProvider // renews by itself
}

// Retrieve implements [aws.CredentialsProvider].
func (c *chain) Retrieve(ctx context.Context) (aws.Credentials, error) {
	found, err := c.find(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	return found.Retrieve(ctx)
}

func (c *chain) find(ctx context.Context) (aws.CredentialsProvider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.found != nil {
		return c.found, nil
	}
	profile := func(*config.LoadOptions) error { return nil }
	if c.config.Profile != "" {
		profile = config.WithSharedConfigProfile(c.config.Profile)
	}
	loaded, err := config.LoadDefaultConfig(
		ctx,
		profile,
		config.WithRegion(c.config.Region),
		config.WithDefaultsMode(aws.DefaultsModeLegacy), // "auto" would ask the machine
		config.WithLogger(logging.Nop{}),
		config.WithRetryer(func() aws.Retryer { return newRetryer(c.options) }),
		config.WithWebIdentityRoleCredentialOptions(func(o *stscreds.WebIdentityRoleOptions) {
			o.Client = newSTS(c.config, c.options, nil)
		}),
		config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
			if theirs, ok := o.Client.(*sts.Client); ok {
				o.Client = newSTS(c.config, c.options, identity{theirs.Options().Credentials})
			}
		}),
	)
	if err != nil {
		return nil, &identityError{fmt.Errorf("get credentials: %w: the AWS SDK can't use its settings; check the AWS_* variables, profile (or AWS_PROFILE) and the files in ~/.aws", sink.ErrDenied)}
	}
	c.found = loaded.Credentials
	return c.found, nil
}

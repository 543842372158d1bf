package awssm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/credsync/credsync/internal/wire"
)

// An api is what the sink uses of AWS Secrets Manager. There is no
// GetSecretValue in it.
type api interface {
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
	ListSecrets(context.Context, *secretsmanager.ListSecretsInput, ...func(*secretsmanager.Options)) (*secretsmanager.ListSecretsOutput, error)
	CreateSecret(context.Context, *secretsmanager.CreateSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.CreateSecretOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	UpdateSecretVersionStage(context.Context, *secretsmanager.UpdateSecretVersionStageInput, ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error)
	TagResource(context.Context, *secretsmanager.TagResourceInput, ...func(*secretsmanager.Options)) (*secretsmanager.TagResourceOutput, error)
	RestoreSecret(context.Context, *secretsmanager.RestoreSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.RestoreSecretOutput, error)
}

const (
	timeout    = 15 * time.Second // of an attempt
	attempts   = 3                // of a request
	maxDelay   = 5 * time.Second  // between attempts
	maxAnswer  = 4 << 20          // bytes; a page of 100 secrets has about 200 KiB
	stsTarget  = "aws_sts"
	retryCost  = 5 // tokens of the retry budget, as the SDK has them
	retryQuota = 500
)

// newClient returns a client with every setting made here. Options, unlike an
// [aws.Config] that was loaded, read neither the environment nor shared files.
func newClient(c Config, o Options) *secretsmanager.Client {
	options := secretsmanager.Options{
		Region:      c.Region,
		Credentials: newIdentity(c, o),
		HTTPClient:  newHTTPClient(o.bases.secrets, Kind, o.Observe),
		Retryer:     newRetryer(o),
	}
	if c.EndpointURL != "" {
		options.BaseEndpoint = &c.EndpointURL
	}
	return secretsmanager.New(options)
}

// newSTS returns a client of the region's STS that signs with credentials,
// which may be nil for what needs no signature.
func newSTS(c Config, o Options, credentials aws.CredentialsProvider) *sts.Client {
	options := sts.Options{
		Region:      c.Region,
		Credentials: credentials,
		HTTPClient:  newHTTPClient(o.bases.sts, stsTarget, o.Observe),
		Retryer:     newRetryer(o),
	}
	if o.sts != "" {
		options.BaseEndpoint = &o.sts
	}
	return sts.New(options)
}

// bases are the connections to Secrets Manager and to STS.
type bases struct{ secrets, sts *wire.Base }

func newBases(c Config) (b bases, err error) {
	if b.secrets, err = (wire.Settings{TLS: c.TLS, Proxy: c.Proxy}).Base(); err != nil {
		return b, err
	}
	b.sts, err = wire.Settings{TLS: wire.TLS{CAFile: c.TLS.CAFile}, Proxy: c.Proxy}.Base()
	return b, err
}

func newHTTPClient(base *wire.Base, target string, observe wire.Observer) *http.Client {
	return wire.NewClient(&wire.Transport{
		Base:   plainBodies{base.Transport},
		Target: target,
		Operation: func(r *http.Request) string {
			return middleware.GetOperationName(r.Context()) // "PutSecretValue"
		},
		Timeout: timeout,
		MaxBody: maxAnswer,
		Observe: observe,
	})
}

// plainBodies is a transport that hides that the bodies of the SDK's requests
// can write themselves: one that the SDK closes early, because the answer is
// there, then fails with io.EOF in place of ending, and net/http drops the
// connection with the answer in it (smithy-go 1.28, transport/http/internal/io).
type plainBodies struct{ *http.Transport }

func (b plainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		plain := *r
		plain.Body = struct{ io.ReadCloser }{r.Body}
		r = &plain
	}
	return b.Transport.RoundTrip(r)
}

// newRetryer returns the SDK's standard retryer. What the environment could
// change of it (AWS_NEW_RETRIES_2026) is said in full.
func newRetryer(o Options) aws.Retryer {
	return retry.NewStandard(func(so *retry.StandardOptions) {
		so.MaxAttempts = attempts
		so.MaxBackoff = maxDelay
		so.Backoff = o.delay
		if so.Backoff == nil {
			so.Backoff = retry.NewExponentialJitterBackoff(maxDelay)
		}
		so.RateLimiter = ratelimit.NewTokenRateLimit(retryQuota)
		so.RetryCost, so.RetryTimeoutCost, so.ThrottlingRetryCost = retryCost, 2*retryCost, retryCost
		so.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(isFinal)}, so.Retryables...)
	})
}

// isFinal says no to a retry where a quota is used up, which the SDK takes for
// throttling because the code means that elsewhere, and where a proxy denies us.
func isFinal(err error) aws.Ternary {
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "LimitExceededException" {
		return aws.FalseTernary
	}
	if proxy, ok := errors.AsType[*wire.ProxyError](err); ok && proxy.Denied {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

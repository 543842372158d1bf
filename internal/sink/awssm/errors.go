package awssm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
)

// The codes that a call's own logic turns on (AWS: errors of the Secrets
// Manager operations).
const (
	notFound      = "ResourceNotFoundException"
	alreadyExists = "ResourceExistsException"
	wrongState    = "InvalidRequestException" // scheduled for deletion, managed by a service
	notAccepted   = "InvalidParameterException"
)

// What AWS answers, by what follows (AWS: common errors; errors of Secrets
// Manager, KMS and STS).
var (
	denied = []string{
		"AccessDenied", "AccessDeniedException", "NotAuthorized", "OptInRequired", "RegionDisabledException",
		"UnrecognizedClientException", "InvalidClientTokenId", "ExpiredToken", "ExpiredTokenException",
		"SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "AuthFailure",
		"MissingAuthenticationToken", "MissingAuthenticationTokenException",
		"InvalidIdentityToken", "IDPRejectedClaim", "KMSAccessDeniedException",
		"RequestTimeTooSkewed", "RequestExpired", "EncryptionFailure", "DecryptionFailure",
	}
	invalid = []string{
		"ValidationException", "ValidationError", notAccepted, wrongState, alreadyExists, notFound,
		"LimitExceededException", "SerializationException", "PreconditionNotMetException",
	}
	tooFast = []string{"TooManyRequestsException", "RequestLimitExceeded", "SlowDown", "Throttling"} // and all that throttles by name
	// hints hold the way out where the code alone doesn't show it.
	hints = map[string]string{
		"RequestTimeTooSkewed":   "the clock of this machine is wrong; set it by NTP",
		"RequestExpired":         "the clock of this machine is wrong; set it by NTP",
		"EncryptionFailure":      "the KMS key is disabled or refuses us; check kms_key_id and kms:GenerateDataKey",
		"DecryptionFailure":      "the KMS key is disabled or refuses us; check kms_key_id and kms:Decrypt",
		"LimitExceededException": "a quota of the AWS account is used up",
	}
)

// codePattern is the shape of an error code that is on no list of ours. Anything
// else in its place may be an echo of what we sent: a token can be all letters.
var codePattern = regexp.MustCompile(`^[A-Z][A-Za-z]{2,55}(?:Exception|Error|Failure|Fault)$`)

// shows reports whether code is harmless.
func shows(code string) bool {
	return slices.Contains(denied, code) || slices.Contains(invalid, code) || slices.Contains(tooFast, code) ||
		codePattern.MatchString(code)
}

// isCode reports whether err is AWS's answer with that code.
func isCode(err error, code string) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && api.ErrorCode() == code && status(err) < 500
}

// explain turns err, which the SDK returned, into one of [sink]'s. Of what AWS
// answered it keeps the code and the status.
func explain(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if over := ctx.Err(); over != nil {
		return fmt.Errorf("%s: %w", doing, over)
	}
	if id, ok := errors.AsType[*identityError](err); ok {
		return fmt.Errorf("%s: %w", doing, id.err)
	}
	if proxy, ok := errors.AsType[*wire.ProxyError](err); ok {
		class := sink.ErrUnavailable
		if proxy.Denied {
			class = sink.ErrDenied
		}
		return fmt.Errorf("%s: %w: %w", doing, class, proxy)
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		class := sink.ErrUnavailable
		if s := status(err); s == http.StatusUnauthorized || s == http.StatusForbidden {
			class = sink.ErrDenied // in a proxy's or firewall's words, if not in AWS's
		}
		return fmt.Errorf("%s: %w: %s", doing, class, cause(err))
	}
	text := fmt.Sprintf("AWS answered with status %d", status(err))
	if shows(api.ErrorCode()) {
		text = fmt.Sprintf("AWS answered %s (status %d)", api.ErrorCode(), status(err))
	}
	if hint := hints[api.ErrorCode()]; hint != "" {
		text += ": " + hint
	}
	return fmt.Errorf("%s: %w: %s", doing, sentinel(api.ErrorCode(), status(err)), text)
}

// explainWrite is explain for a write to a secret that was inspected: where it
// is gone, was re-created or deleted, or holds other bytes under our token,
// somebody else was there.
func explainWrite(ctx context.Context, doing string, err error) error {
	for _, code := range []string{notFound, wrongState, alreadyExists} {
		if isCode(err, code) && ctx.Err() == nil {
			return fmt.Errorf("%s: %w: AWS answered %s", doing, sink.ErrConflict, code)
		}
	}
	return explain(ctx, doing, err)
}

// sentinel returns the error of [sink] that stands for AWS's answer.
func sentinel(code string, status int) error {
	switch {
	case status >= 500:
		return sink.ErrUnavailable
	case status == 429, strings.Contains(code, "Throttl"), slices.Contains(tooFast, code):
		return sink.ErrRateLimited
	case slices.Contains(denied, code):
		return sink.ErrDenied
	case slices.Contains(invalid, code):
		return sink.ErrInvalid
	case status == http.StatusUnauthorized, status == http.StatusForbidden: // whatever the code is
		return sink.ErrDenied
	}
	return sink.ErrUnavailable
}

// status returns the HTTP status that err came with, or 0.
func status(err error) int {
	type answer interface {
		error
		HTTPStatusCode() int
	}
	if a, ok := errors.AsType[answer](err); ok {
		return a.HTTPStatusCode()
	}
	return 0
}

// cause says why there was no usable answer, in words of our own.
func cause(err error) string {
	for _, known := range []error{wire.ErrBodyTooLarge, errEmptyAnswer} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the host of " + endpoint(err) + " is not known"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the certificate of " + endpoint(err) + " is not trusted; where the network puts its own there, set tls.ca_file"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "nothing listens at " + endpoint(err)
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return endpoint(err) + ": " + errno.Error()
	}
	if code := status(err); code != 0 {
		return fmt.Sprintf("the answer with status %d is not of the protocol", code)
	}
	return "no answer"
}

// endpoint says where the attempt went that ended with err: by the keys that
// decide on it, or by the service that the SDK asked for credentials.
func endpoint(err error) string {
	if call, ok := errors.AsType[*smithy.OperationError](err); ok && call.ServiceID != secretsmanager.ServiceID {
		return "the endpoint of " + call.ServiceID
	}
	return "the endpoint (endpoint_url, or that of region)"
}

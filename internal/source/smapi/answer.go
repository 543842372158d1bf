package smapi

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"syscall"

	"github.com/credsync/credsync/internal/source"
	"github.com/credsync/credsync/internal/wire"
)

// An answer is what came back from one attempt, whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// codes are the error codes that an error may repeat (SMAPI: Error Codes). They
// come from a body, so what is not listed is not shown.
var codes = []string{
	"RESOURCE_NOT_FOUND", "OPERATION_NOT_ALLOWED", "INVALID_REQUEST_PARAMETER", "PARAMETER_EXPIRED", "PRECONDITION_NOT_MET",
	"INVALID_STRING_LENGTH", "INVALID_STRING_PATTERN", "MISSING_REQUIRED_PROPERTY", "DENIED_FEATURE_ACCESS",
}

// requestID is the shape of X-Amzn-RequestId: narrow enough that no token or
// secret has it.
var requestID = regexp.MustCompile(`^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)

// String says what a holds that is known to be harmless: the status, the code,
// the request ID to show Amazon's support.
func (a answer) String() string {
	s := fmt.Sprintf("status %d", a.status)
	if code := a.code(); code != "" {
		s += ", " + code
	}
	if id := a.header.Get("X-Amzn-Requestid"); requestID.MatchString(id) {
		s += ", request " + id
	}
	return s
}

// code returns the error code in a, bare or wrapped in "error", if it is one of
// codes.
func (a answer) code() string {
	var bare struct {
		Code  json.RawMessage `json:"code"`
		Error json.RawMessage `json:"error"`
	}
	var wrapped struct {
		Code json.RawMessage `json:"code"`
	}
	if json.Unmarshal(a.body, &bare) != nil {
		return ""
	}
	_ = json.Unmarshal(bare.Error, &wrapped) // a stranger's shape: no code
	for _, raw := range []json.RawMessage{bare.Code, wrapped.Code} {
		var code string
		if json.Unmarshal(raw, &code) == nil && slices.Contains(codes, code) {
			return code
		}
	}
	return ""
}

// problem returns what an answer other than 200, 401 and 429 means (SMAPI:
// Skill Credentials API), or nil for a 200.
func (a answer) problem() error {
	switch {
	case a.status == http.StatusOK:
		return nil
	case a.status >= 500:
		return fmt.Errorf("%w (%s)", source.ErrUnavailable, a)
	case a.status == http.StatusForbidden:
		return fmt.Errorf("%w: the account or its role may not do this (%s)", source.ErrDenied, a)
	case a.status == http.StatusNotFound:
		return fmt.Errorf("%w (%s)", source.ErrNotFound, a)
	case a.status >= 300 && a.status < 400:
		return fmt.Errorf("%w: redirect refused; is the URL right? (%s)", source.ErrInvalid, a)
	case a.status == http.StatusBadRequest:
		return fmt.Errorf("%w: request not accepted (%s)", source.ErrInvalid, a)
	}
	return fmt.Errorf("%w: unexpected answer (%s)", source.ErrInvalid, a)
}

// send makes one attempt. Its error wraps that of ctx where it ended, else one
// of package source.
func send(ctx context.Context, client *http.Client, req *http.Request) (answer, error) {
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, wireError(ctx, "api_url", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, wireError(ctx, "api_url", err)
	}
	return answer{resp.StatusCode, resp.Header, body}, nil
}

// wireError translates an error of an attempt at the URL that key configures. Its
// text may hold the URL.
func wireError(ctx context.Context, key string, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, wire.ErrBodyTooLarge):
		return fmt.Errorf("%w: %w", source.ErrInvalid, wire.ErrBodyTooLarge)
	}
	if proxy, ok := errors.AsType[*wire.ProxyError](err); ok {
		class := source.ErrUnavailable
		if proxy.Denied {
			class = source.ErrDenied
		}
		return fmt.Errorf("%w: %w", class, proxy)
	}
	return fmt.Errorf("%w: %s", source.ErrUnavailable, cause(key, err))
}

// cause says why an attempt brought no answer, in words of our own or of the
// operating system, and names the key that may be to correct.
func cause(key string, err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return "the host of " + key + " has no address"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "nothing listens at " + key
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return key + ": " + errno.Error()
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the certificate of " + key + " is not trusted; where the network puts its own there, set smapi.tls.ca_file"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return fmt.Sprintf("no whole answer within %s", attemptTimeout)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the answer was cut off"
	}
	return "no usable answer"
}

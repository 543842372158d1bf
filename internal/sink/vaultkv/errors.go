package vaultkv

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/credsync/credsync/internal/sink"
)

// errAbsent is the class of Vault's way to say that there is nothing at a path.
var errAbsent = errors.New("nothing there")

// A failure is the end of an attempt that did not bring what was asked for, told
// in our own words: answers and the errors of libraries can hold what was sent.
type failure struct {
	operation string
	problem   string
	class     error         // a sentinel of package sink, or errAbsent
	again     bool          // another attempt may help
	after     time.Duration // but not sooner
	token     bool          // Vault says that it doesn't know the token
	login     bool          // Vault refuses to give one
}

func (f *failure) Error() string { return f.operation + ": " + f.problem + ": " + f.class.Error() }

func (f *failure) Unwrap() error { return f.class }

// notAllowed reports whether err means that Vault knows us and denies us this.
func notAllowed(err error) (*failure, bool) {
	f, ok := errors.AsType[*failure](err)
	return f, ok && !f.token && errors.Is(f, sink.ErrDenied)
}

// classify returns what a is a failure of, or nil where it is the answer that
// Vault gives to a request that it has carried out.
func classify(a answer) *failure {
	f := &failure{operation: a.operation, class: sink.ErrUnavailable}
	switch {
	case a.status == http.StatusNoContent, a.status == http.StatusOK && a.vaults():
		return nil
	case a.status < 300:
		f.problem, f.again = "the answer is not one of Vault's", true
	case a.status < 400:
		f.problem = "redirected, as a standby does; set address to the active node or to a load balancer that finds it"
	case a.status == http.StatusTooManyRequests:
		f.problem, f.class, f.again, f.after = "a quota of Vault's is used up", sink.ErrRateLimited, true, a.retryAfter
	case a.status == http.StatusPreconditionFailed:
		f.problem, f.again = "this node of Vault lags behind", true
	case a.status >= 500:
		f.server(a)
	default:
		f.refusal(a)
	}
	return f
}

// server fills f for a status of 500 and above.
func (f *failure) server(a answer) {
	f.problem, f.again, f.after = "Vault answered "+strconv.Itoa(a.status), true, a.retryAfter
	switch {
	case a.says("is sealed"):
		f.problem = "Vault is sealed"
	case a.says("exceeds allowed") || a.says("value being too large"):
		f.tooLarge()
	}
}

// refusal fills f for a status from 400 to 499.
func (f *failure) refusal(a answer) {
	errs, known := a.errors()
	switch {
	case a.says("versioned K/V"):
		f.problem, f.class = "the mount is KV version 2; set version: 2", sink.ErrInvalid
	case a.status == http.StatusNotFound && a.absence(errs, known):
		f.problem, f.class = "the path is empty", errAbsent
	case a.status == http.StatusNotFound && a.says("no handler for route"):
		f.problem, f.class = "nothing is mounted there; set mount to what `vault secrets list` shows, and that of auth to what `vault auth list` shows", sink.ErrInvalid
	case a.status == http.StatusRequestEntityTooLarge:
		f.tooLarge()
	case !known && (a.status == http.StatusUnauthorized || a.status == http.StatusForbidden):
		f.problem, f.class = "refused, in a proxy's or firewall's words", sink.ErrDenied
	case !known:
		f.problem = "the answer " + strconv.Itoa(a.status) + " is not one of Vault's"
	case a.operation == opLogin: // no policy holds yet; an unknown mount is a 403 as well
		f.problem, f.class, f.login = "the login was refused", sink.ErrDenied, true
	case a.status == http.StatusForbidden:
		f.problem, f.class, f.token = "the policy does not allow it", sink.ErrDenied, a.says("invalid token")
		if f.token {
			f.problem = "Vault doesn't know the token, or it has expired"
		}
	case a.says("check-and-set parameter did not match"):
		f.problem, f.class = "another version stands there", sink.ErrConflict
	case a.says("pgrading"):
		f.problem, f.again = "the mount is being upgraded to KV version 2", true
	case a.status == http.StatusMethodNotAllowed:
		f.problem, f.class = "the mount can't do this; is version the mount's own?", sink.ErrInvalid
	default:
		f.problem, f.class = "Vault answered "+strconv.Itoa(a.status), sink.ErrInvalid
	}
}

func (f *failure) tooLarge() {
	f.problem, f.class, f.again = "larger than this Vault takes", sink.ErrInvalid, false
}

// errors returns the list that each error of Vault's holds, and whether a holds
// one at all.
func (a answer) errors() ([]string, bool) {
	var body api.ErrorResponse
	known := json.Unmarshal(a.body, &body) == nil && body.Errors != nil
	return body.Errors, known
}

// absence reports whether a 404 says that the path is empty: with an empty list
// of errors, or to a PATCH with nothing at all.
func (a answer) absence(errs []string, known bool) bool {
	switch a.operation {
	case opMetadataRead, opSecretRead, opList:
		return known && len(errs) == 0
	case opMetadataPatch:
		return len(errs) == 0 && (known || len(a.body) == 0)
	}
	return false
}

// says reports whether a is an error of Vault's that holds text.
func (a answer) says(text string) bool { return strings.Contains(string(a.body), text) }

// vaults reports whether a has the envelope of Vault's own answers.
func (a answer) vaults() bool {
	var envelope struct {
		RequestID string `json:"request_id"`
	}
	return json.Unmarshal(a.body, &envelope) == nil && envelope.RequestID != ""
}

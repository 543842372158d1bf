package awssm

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/sink"
)

// Each answer has its sentinel and its number of attempts, on a look and on a
// write.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		code     string
		status   int
		want     error
		attempts int
		shows    string // part of the text
	}{
		{"AccessDeniedException", 400, sink.ErrDenied, 1, "AccessDeniedException"},
		{"UnrecognizedClientException", 400, sink.ErrDenied, 1, "UnrecognizedClientException"},
		{"InvalidClientTokenId", 403, sink.ErrDenied, 1, "InvalidClientTokenId"},
		{"ExpiredTokenException", 400, sink.ErrDenied, 1, "ExpiredTokenException"},
		{"SignatureDoesNotMatch", 403, sink.ErrDenied, 1, "SignatureDoesNotMatch"},
		{"InvalidSignatureException", 400, sink.ErrDenied, 1, "InvalidSignatureException"},
		{"RequestTimeTooSkewed", 403, sink.ErrDenied, 1, "the clock of this machine"},
		{"EncryptionFailure", 400, sink.ErrDenied, 1, "kms_key_id"},
		{"ThrottlingException", 400, sink.ErrRateLimited, 3, "ThrottlingException"},
		{"TooManyRequestsException", 429, sink.ErrRateLimited, 3, "TooManyRequestsException"},
		{"ValidationException", 400, sink.ErrInvalid, 1, "ValidationException"},
		{"InvalidParameterException", 400, sink.ErrInvalid, 1, "InvalidParameterException"},
		{"LimitExceededException", 400, sink.ErrInvalid, 1, "quota"},
		{"InternalServiceError", 500, sink.ErrUnavailable, 3, "InternalServiceError"},
		{"AccessDeniedException", 503, sink.ErrUnavailable, 3, "503"},
		{"ResourceNotFoundException", 503, sink.ErrUnavailable, 3, "503"},
		{"SomethingNewException", 400, sink.ErrUnavailable, 1, "SomethingNewException"},
		{"SessionTokenOfLettersAlone", 400, sink.ErrUnavailable, 1, "answered with status 400"},
		{"SomethingNewException", 403, sink.ErrDenied, 1, "SomethingNewException"},
		{"Echo1234", 400, sink.ErrUnavailable, 1, "answered with status 400"},
	} {
		t.Run(fmt.Sprintf("%s %d", c.code, c.status), func(t *testing.T) {
			r := newRig(t)
			r.gate.instead = func(w http.ResponseWriter, _ *http.Request) bool {
				answerError(w, c.status, c.code, "the message may hold anything")
				return true
			}
			_, err := r.sink.Inspect(t.Context(), name)
			_, err2 := r.sink.Put(t.Context(), name, recordOf(t, "a"), sink.State{})
			for _, err := range []error{err, err2} {
				wantError(t, err, c.want)
				if err != nil && (!strings.Contains(err.Error(), c.shows) || strings.Contains(err.Error(), "message")) {
					t.Errorf("got text %q, want %q and no message in it", err, c.shows)
				}
			}
			if got := r.gate.count(); got != 2*c.attempts {
				t.Errorf("got %d requests for two operations, want %d", got, 2*c.attempts)
			}
		})
	}
	t.Run("other bytes under our token are a conflict, asked once", func(t *testing.T) {
		r := newRig(t)
		r.put("a")
		b := recordOf(t, "b")
		r.fake.edit(t, name, func(s *fakeSecret) {
			s.versions = append(s.versions, &fakeVersion{id: string(b.Fingerprint), body: "other bytes"})
		})
		prev := r.inspect()
		r.fake.took()
		_, err := r.sink.Put(t.Context(), name, b, prev)
		wantError(t, err, sink.ErrConflict)
		r.wantCalls("PutSecretValue")
	})
}

// adoption is where all has the error of Adopt.
const adoption = 6

// all does all that a sink can do, and returns the errors.
func (r *rig) all(record sink.Record, prev sink.State) []error {
	deleted := prev
	deleted.Deleted, deleted.Fingerprint = true, ""
	var errs [adoption + 1]error
	_, errs[0] = r.sink.Inspect(r.Context(), name)
	_, errs[1] = r.sink.Put(r.Context(), name, record, sink.State{})
	_, errs[2] = r.sink.Put(r.Context(), name, record, prev)
	_, errs[3] = r.sink.Put(r.Context(), name, record, deleted)
	_, errs[4] = listed(r.Context(), r.sink, "prod")
	_, errs[5] = r.sink.Check(r.Context())
	_, errs[adoption] = r.sink.Adopt(r.Context(), name, record.Owner, prev)
	return errs[:]
}

// An answer that isn't one is an outage: never an absence, never a success.
func TestNoAnswer(t *testing.T) {
	for _, body := range []string{
		"", "{}", "null", "[]", `"ok"`, "<html>sign in</html>", `{"ARN":`, `{"ARN":null,"Name":null}`, `{"SecretList":null}`,
		`{"ARN":"arn:aws:secretsmanager:eu-west-1:1:secret:another-000001","Name":"another"}`, strings.Repeat(" ", maxAnswer+1),
	} {
		t.Run(fmt.Sprintf("%.50s", body), func(t *testing.T) {
			r := newRig(t)
			record, prev := recordOf(t, "b"), r.put("a")
			r.gate.instead = func(w http.ResponseWriter, _ *http.Request) bool {
				_, _ = fmt.Fprint(w, body)
				return true
			}
			errs := r.all(record, prev)
			for n, err := range errs {
				if n == adoption && strings.Contains(body, "another") {
					wantError(t, err, sink.ErrConflict) // it is about another secret: not in the state prev
					continue
				}
				wantError(t, err, sink.ErrUnavailable)
			}
		})
	}
}

// A proxy or a firewall refuses in words of its own. That is no outage.
func TestARefusalInOtherWordsIsDenied(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		r := newRig(t)
		record, prev := recordOf(t, "b"), r.put("a")
		r.gate.instead = func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "<html>blocked</html>", status)
			return true
		}
		for _, err := range r.all(record, prev) {
			wantError(t, err, sink.ErrDenied)
		}
	}
}

// Whatever AWS, or what stands in its place, echoes: no text holds any of it.
func TestErrorsLeakNothing(t *testing.T) {
	const value = `canaryValue+/="<&>\0123456789`
	canaries := []string{value, testKeyID, testKey, testSession, "EXTERNALcanary0001"}
	hostile := map[string]func(http.ResponseWriter, string){
		"message":      func(w http.ResponseWriter, echo string) { answerError(w, 400, "ValidationException", echo) },
		"code":         func(w http.ResponseWriter, echo string) { answerError(w, 400, echo, echo) },
		"code, 500":    func(w http.ResponseWriter, echo string) { answerError(w, 500, echo, echo) },
		"absence":      func(w http.ResponseWriter, echo string) { answerError(w, 400, notFound, echo) },
		"existence":    func(w http.ResponseWriter, echo string) { answerError(w, 400, alreadyExists, echo) },
		"plain text":   func(w http.ResponseWriter, echo string) { http.Error(w, echo, http.StatusForbidden) },
		"200 and text": func(w http.ResponseWriter, echo string) { _, _ = fmt.Fprint(w, echo) },
		"200 and JSON": func(w http.ResponseWriter, echo string) {
			_ = json.NewEncoder(w).Encode(map[string]any{"ARN": echo, "Name": echo, "VersionId": echo, "SecretList": echo, "DeletedDate": echo})
		},
		"header": func(w http.ResponseWriter, echo string) {
			w.Header().Set("X-Amzn-ErrorType", strings.ReplaceAll(echo, "\n", ""))
			w.WriteHeader(http.StatusBadRequest)
		},
		"redirect": func(w http.ResponseWriter, echo string) {
			w.Header().Set("Location", "http://127.0.0.1:1/?"+url.QueryEscape(echo))
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
		"broken": func(w http.ResponseWriter, echo string) {
			w.Header().Set("Content-Length", "999999")
			_, _ = fmt.Fprint(w, echo)
		},
	}
	for kind, answer := range hostile {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t)
			record, prev := recordOf(t, value), r.put("a")
			r.gate.instead = func(w http.ResponseWriter, q *http.Request) bool {
				body := make([]byte, 1<<16)
				n, _ := q.Body.Read(body)
				answer(w, fmt.Sprintf("%s %v %s", body[:n], q.Header, strings.Join(canaries, " ")))
				return true
			}
			errs := r.all(record, prev)
			if !slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
				t.Error("nothing failed")
			}
			for _, err := range errs {
				wantNoCanary(t, err, canaries)
			}
		})
	}
}

// wantNoCanary wants no text of err, nor of what it wraps, to hold a canary in
// any shape.
func wantNoCanary(t *testing.T, err error, canaries []string) {
	t.Helper()
	for ; err != nil; err = unwrap(err) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
			text := fmt.Sprintf(verb, err)
			for _, c := range canaries {
				quoted, _ := json.Marshal(c)
				for _, shape := range []string{
					c, c[len(c)/4 : len(c)/2], string(quoted[1 : len(quoted)-1]), url.QueryEscape(c), hex.EncodeToString([]byte(c)),
					base64.StdEncoding.EncodeToString([]byte(c))[:8],
				} {
					if strings.Contains(text, shape) {
						t.Errorf("%s of the error holds a canary: %s", verb, text)
					}
				}
			}
		}
	}
}

// unwrap follows the first error of several.
func unwrap(err error) error {
	switch e := err.(type) { //nolint:errorlint // each link of the chain is looked at
	case interface{ Unwrap() error }:
		return e.Unwrap()
	case interface{ Unwrap() []error }:
		return e.Unwrap()[0]
	}
	return nil
}

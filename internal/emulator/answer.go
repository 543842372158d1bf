package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// An answer is what goes back for one call, before a fault meddles with how.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func jsonAnswer(status int, v any) answer {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own types come here, and they all encode
	}
	return answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}

// stamp adds what every answer of Amazon's bears.
func (a *answer) stamp(requestID string) {
	a.header.Set("X-Amzn-Requestid", requestID)
	a.header.Set("Server", "Server")
}

// A failure is an error body of SMAPI, StandardizedError and BadRequestError in
// one; unset members are left out.
type failure struct {
	Code       string    `json:"code,omitempty"`
	Message    string    `json:"message"`
	Violations []failure `json:"violations,omitempty"`
}

// messages are SMAPI's own words, where users have posted them.
var messages = map[int]string{
	http.StatusBadRequest:          "Request is not valid.",
	http.StatusUnauthorized:        "Token is invalid/expired.",
	http.StatusForbidden:           "User is not authorized to access this operation.",
	http.StatusNotFound:            "The resource is not found.",
	http.StatusTooManyRequests:     "We are experiencing heavy traffic at the moment. Please try again later.",
	http.StatusInternalServerError: "An unexpected error occurred.",
	http.StatusServiceUnavailable:  "The service is temporarily unavailable.",
}

// failure returns an error of SMAPI. Where code or message is empty it says
// what is usual for the status.
func (a *Amazon) failure(status int, code, message string) answer {
	return a.form.failure(status, code, message)
}

func (form Body) failure(status int, code, message string) answer {
	if message == "" {
		message = messages[status]
	}
	if message == "" {
		message = http.StatusText(status)
	}
	f := failure{Code: code, Message: message}
	switch status {
	case http.StatusBadRequest:
		f = failure{Message: messages[status], Violations: []failure{{Code: code, Message: message}}}
	case http.StatusNotFound:
		if code == "" {
			f.Code = "RESOURCE_NOT_FOUND"
		}
	}
	var body any = f
	if form == BodyWrapped {
		body = map[string]failure{"error": f}
	}
	ans := jsonAnswer(status, body)
	if status == http.StatusUnauthorized {
		ans.header.Set("WWW-Authenticate", "Bearer") // RFC 9110 §11.6.1 asks for one with each 401
	}
	return ans
}

// descriptions are LWA's own words for its error codes.
var descriptions = map[string]string{
	"invalid_grant":          "The request has an invalid grant parameter : refresh_token. User may have revoked or didn't grant the permission.",
	"invalid_client":         "Client authentication failed",
	"unauthorized_client":    "Not authorized for requested operation",
	"invalid_scope":          "The request has an invalid parameter : scope",
	"invalid_request":        "Malformed request",
	"unsupported_grant_type": "The authorization grant type is not supported by the authorization server",
	"authorization_pending":  "Authorization pending",
	"slow_down":              "Please slow down",
	"access_denied":          "Access denied",
}

// lwaFailure returns an error of LWA; a missing parameter is named after a
// colon in code, "invalid_request:refresh_token".
func lwaFailure(status int, code string) answer {
	if status >= http.StatusInternalServerError {
		ans := jsonAnswer(status, struct{}{})
		ans.header.Set("X-Amzn-Errortype", "InternalFailure")
		return ans
	}
	code, missing, named := strings.Cut(code, ":")
	description := descriptions[code]
	if named {
		description = fmt.Sprintf("The request is missing a required parameter : %s", missing)
	}
	return lwaRefusal(status, code, description)
}

func lwaRefusal(status int, code, description string) answer {
	ans := jsonAnswer(status, map[string]string{"error": code, "error_description": description})
	if status == http.StatusUnauthorized {
		ans.header.Set("WWW-Authenticate", "Basic")
	}
	return noStore(ans)
}

// noStore marks an answer that holds tokens, or could (RFC 6749 §5.1).
func noStore(ans answer) answer {
	ans.header.Set("Cache-Control", "no-store")
	ans.header.Set("Pragma", "no-cache")
	return ans
}

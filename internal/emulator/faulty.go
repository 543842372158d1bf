package emulator

import (
	"net/http"
	"slices"
	"time"
)

const page = "<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>Something went wrong</h1></body></html>\n"

// faulty returns what c is answered under f.
func (a *Amazon) faulty(f Fault, c *call, now time.Time) answer {
	status := f.status()
	if status == 0 {
		return a.truth(c, now)
	}
	ans := a.usual(f, c, status)
	switch f.Body {
	case BodyEmpty:
		ans.body = nil
	case BodyHTML:
		ans.header.Set("Content-Type", "text/html; charset=utf-8")
		ans.body = []byte(page)
	case BodyNull:
		ans.body = []byte("null")
	case BodyEmptyPair:
		ans.body = pairAnswer(map[string]string{"clientId": "", "clientSecret": ""}).body
	case BodyHalfPair:
		ans.body = pairAnswer(map[string]string{"clientId": a.halfPair(c)}).body
	case BodyEcho:
		ans.body = slices.Concat([]byte(c.header.Get("Authorization")), []byte("\n"), c.body)
		ans.header.Set("Content-Type", "text/plain")
		ans.header.Set("X-Echo", c.header.Get("Authorization"))
	}
	if f.RetryAfter != "" {
		ans.header.Set("Retry-After", f.RetryAfter)
	}
	if f.Location != "" {
		ans.header.Set("Location", f.Location)
	}
	return ans
}

// usual is what Amazon says with a status, in the form that f asks for.
func (a *Amazon) usual(f Fault, c *call, status int) answer {
	switch {
	case status < http.StatusBadRequest:
		return jsonAnswer(status, struct{}{})
	case c.op.lwa():
		return lwaFailure(status, f.lwaCode(c, status))
	}
	form := a.form
	if f.Body == BodyBare || f.Body == BodyWrapped {
		form = f.Body
	}
	return form.failure(status, f.Code, "")
}

// lwaCode is the error code that goes with a status of LWA.
func (f Fault) lwaCode(c *call, status int) string {
	switch {
	case f.Code != "":
		return f.Code
	case status == http.StatusUnauthorized:
		return "invalid_client"
	case status == http.StatusForbidden:
		return "access_denied"
	case status == http.StatusTooManyRequests:
		return "slow_down"
	case status != http.StatusBadRequest:
		return "invalid_request"
	case c.op == OpVerify:
		return "invalid_scope"
	}
	return "invalid_grant"
}

// halfPair is the client ID of the skill that c names.
func (a *Amazon) halfPair(c *call) string {
	if s, ok := a.skills.byID[c.skill]; ok {
		return s.clientID
	}
	return a.tokens.clientID
}

package wire

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what a peer can make us wait. A longer order is a
// mistake somewhere, and would leave an adapter dead until a restart.
const maxRetryAfter = 15 * time.Minute

// RetryAfter returns how long the peer that sent h wants to be left alone: 0
// where it does not say, says it in no way known, or the time is over.
// Retry-After is seconds or an HTTP date (RFC 9110 §10.2.3). A date is counted
// from the peer's own Date where it sent one, so that our clock does not matter.
func RetryAfter(h http.Header) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if digits(v) {
		seconds, err := strconv.Atoi(v)
		if err != nil || seconds > int(maxRetryAfter/time.Second) {
			return maxRetryAfter // err: more digits than a number holds
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// digits reports whether s is 1*DIGIT. [strconv.Atoi] takes signs too.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

package emulator

import (
	"time"

	"golang.org/x/time/rate"
)

// A limiter is SMAPI's limit, one bucket for all its operations. Amazon
// publishes no figures and counts by account as well as by operation. The zero
// limiter lets everything through. A refused call costs nothing.
type limiter struct {
	bucket     *rate.Limiter
	retryAfter bool
}

func newLimiter(perSecond float64, burst int, retryAfter bool) limiter {
	if perSecond <= 0 {
		return limiter{}
	}
	return limiter{bucket: rate.NewLimiter(rate.Limit(perSecond), max(burst, 1)), retryAfter: retryAfter}
}

// admit lets a call through, or says how long from now one will get through.
func (l limiter) admit(now time.Time) (wait time.Duration, ok bool) {
	if l.bucket == nil || l.bucket.AllowN(now, 1) {
		return 0, true
	}
	r := l.bucket.ReserveN(now, 1)
	defer r.CancelAt(now)
	return r.DelayFrom(now), false
}

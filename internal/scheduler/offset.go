package scheduler

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"
)

// Offset returns how much later than its slots a job starts on a host, so that
// hosts with one configuration do not all call at once. It is spread evenly
// over [0, limit) and always the same for the same host and job. A limit of zero
// or less gives zero.
func Offset(host, job string, limit time.Duration) time.Duration {
	if limit <= 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(strconv.Quote(host) + strconv.Quote(job)))
	share := float64(binary.BigEndian.Uint32(sum[:4])) / (1 << 32)
	return time.Duration(share * float64(limit))
}

package audit

import (
	"os"
	"strconv"
)

// size returns full where CREDSYNC_TEST_FULL asks for the whole figure.
func size(sample, full int) int {
	if os.Getenv("CREDSYNC_TEST_FULL") != "" {
		return full
	}
	return sample
}

// seed returns what CREDSYNC_TEST_SEED says, or 1.
func seed() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("CREDSYNC_TEST_SEED"), 10, 64); err == nil {
		return n
	}
	return 1
}

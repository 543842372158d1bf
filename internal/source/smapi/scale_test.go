package smapi

import (
	"os"
	"strconv"
)

// size is how much of a long suite runs: a sample, or with
// CREDSYNC_TEST_FULL=1 all of it.
func size(sample, full int) int {
	if os.Getenv("CREDSYNC_TEST_FULL") != "" {
		return full
	}
	return sample
}

// seed is what the choices of a long suite are drawn from: CREDSYNC_TEST_SEED,
// else 1.
func seed() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("CREDSYNC_TEST_SEED"), 10, 64); err == nil {
		return n
	}
	return 1
}

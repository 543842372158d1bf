// Package scale says, for tests, how much of a long suite runs and what its
// choices are drawn from.
package scale

import (
	"cmp"
	"os"
	"strconv"
)

// Size returns sample, or full where CREDSYNC_TEST_FULL is set.
func Size(sample, full int) int {
	if os.Getenv("CREDSYNC_TEST_FULL") != "" {
		return full
	}
	return sample
}

// Seed returns what CREDSYNC_TEST_SEED says, or 1.
func Seed() uint64 {
	n, _ := strconv.ParseUint(os.Getenv("CREDSYNC_TEST_SEED"), 10, 64)
	return cmp.Or(n, 1)
}

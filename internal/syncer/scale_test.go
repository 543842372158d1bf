package syncer

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
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

// TestMain makes models repeat what they did. The flags of rapid win over it.
func TestMain(m *testing.M) {
	for name, value := range map[string]any{"rapid.seed": seed(), "rapid.checks": size(100, 2000), "rapid.steps": 60} {
		if err := flag.Set(name, fmt.Sprint(value)); err != nil {
			panic(err)
		}
	}
	m.Run()
}

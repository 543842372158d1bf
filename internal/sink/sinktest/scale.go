package sinktest

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"sync"
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

var scaled sync.Once

// scale makes models repeat what they did, and as often as is asked. What the
// command line says of that counts more.
func scale(t *testing.T) {
	t.Helper()
	scaled.Do(func() {
		given := make(map[string]bool)
		flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
		for name, value := range map[string]any{"rapid.seed": seed(), "rapid.checks": size(20, 250)} {
			if given[name] {
				continue
			}
			if err := flag.Set(name, fmt.Sprint(value)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

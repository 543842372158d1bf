// Package e2e runs the built binary against real servers: Vault's own core, moto
// for AWS Secrets Manager, and the emulator in place of Amazon, each a process of
// its own. Every test has its own servers, and holds one promise.
//
// Start it by ./e2e/run, which fetches and builds what the tests need. With
// -measure, TestMeasure measures and writes docs/benchmarks.md: see ./e2e/measure.
package e2e

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var measure = flag.Bool("measure", false, "measure, and write docs/benchmarks.md")

// bin is where ./e2e/run puts the programs under test and the servers.
const bin = "../bin"

// program returns the path of a program that a test needs. Without it, the test
// proves nothing: that is a failure in CI, and elsewhere it is said loudly.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{bin, filepath.Join(bin, "python", "bin")} {
		path, err := filepath.Abs(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name, "run ./e2e/run, which gets it")
	}
	return path
}

// missing ends a test that lacks something.
func missing(t *testing.T, what, how string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing: %s", what, how)
	}
	t.Skipf("NOT PROVEN: %s is missing: %s", what, how)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

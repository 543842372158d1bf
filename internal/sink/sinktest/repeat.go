package sinktest

import (
	"flag"
	"fmt"
	"sync"
	"testing"

	"github.com/credsync/credsync/internal/scale"
)

var repeated sync.Once

// repeat makes models repeat what they did, and as often as is asked. What the
// command line says of that counts more.
func repeat(t *testing.T) {
	t.Helper()
	repeated.Do(func() {
		given := make(map[string]bool)
		flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
		for name, value := range map[string]any{"rapid.seed": scale.Seed(), "rapid.checks": scale.Size(20, 250)} {
			if given[name] {
				continue
			}
			if err := flag.Set(name, fmt.Sprint(value)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

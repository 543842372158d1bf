package syncer

import (
	"flag"
	"fmt"
	"testing"

	"github.com/credsync/credsync/internal/scale"
)

// TestMain makes models repeat what they did. The flags of rapid win over it.
func TestMain(m *testing.M) {
	for name, value := range map[string]any{"rapid.seed": scale.Seed(), "rapid.checks": scale.Size(100, 2000), "rapid.steps": 60} {
		if err := flag.Set(name, fmt.Sprint(value)); err != nil {
			panic(err)
		}
	}
	m.Run()
}

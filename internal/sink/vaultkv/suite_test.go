package vaultkv

import (
	"testing"

	"github.com/credsync/credsync/internal/sink/sinktest"
)

func TestVersion2OnFake(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness { return fakeStand(t, 2).harness() })
}

func TestVersion1OnFake(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness { return fakeStand(t, 1).harness() })
}

func TestVersion2OnVault(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness { return vaultStand(t, 2).harness() })
}

func TestVersion1OnVault(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness { return vaultStand(t, 1).harness() })
}

//go:build !linux

package e2e

import "testing"

func smallDisk(t *testing.T) string {
	t.Helper()
	t.Skip("NOT PROVEN: small disks are for Linux")
	return ""
}

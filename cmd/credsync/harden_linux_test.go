package main

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestHardenLeavesNoDumps(t *testing.T) {
	if err := harden(); err != nil {
		t.Fatal(err)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("dumpable is %d, %v", dumpable, err)
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core != (unix.Rlimit{}) {
		t.Errorf("the limit of core files is %+v, %v", core, err)
	}
}

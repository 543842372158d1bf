package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// noDumps keeps this process's memory out of core files and from other
// processes of its user. The limit is the second lock and may fail: our own
// systemd unit sets it, and then forbids to set any.
func noDumps() error {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("memory can be dumped by others of this user: prctl(PR_SET_DUMPABLE): %w", err)
	}
	return nil
}

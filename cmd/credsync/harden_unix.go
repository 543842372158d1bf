//go:build unix && !linux

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// noDumps keeps this process's memory out of core files. Who else may look at it
// is the system's to say.
func noDumps() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("memory can be dumped to a core file: setrlimit(RLIMIT_CORE): %w", err)
	}
	return nil
}

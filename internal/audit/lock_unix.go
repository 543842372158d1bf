//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package audit

import (
	"errors"

	"golang.org/x/sys/unix"
)

// lock waits for the exclusive lock on the open file fd. The lock keeps out
// every other open file, of this process too. Closing the file ends it.
func lock(fd uintptr) error {
	for {
		err := unix.Flock(int(fd), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func unlock(fd uintptr) error { return unix.Flock(int(fd), unix.LOCK_UN) }

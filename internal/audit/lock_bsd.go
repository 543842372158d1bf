//go:build darwin || dragonfly || freebsd || netbsd || openbsd

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

// These systems have no lock on a byte that belongs to an open file. So nobody
// can be told dead, and nothing is reconciled.

func claim(uintptr, int64) (bool, error)   { return true, nil }
func release(uintptr, int64) error         { return nil }
func claimed(uintptr, int64) (bool, error) { return true, nil }

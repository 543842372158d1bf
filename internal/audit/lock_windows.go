package audit

import (
	"math"

	"golang.org/x/sys/windows"
)

// lock waits for the exclusive lock on the open file fd. The lock keeps out
// every other open file, of this process too. Closing the file ends it.
func lock(fd uintptr) error {
	return windows.LockFileEx(windows.Handle(fd), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, lockedByte())
}

func unlock(fd uintptr) error {
	return windows.UnlockFileEx(windows.Handle(fd), 0, 1, 0, lockedByte())
}

// lockedByte is the place of the lock. Windows enforces locks, so it has to be
// a byte that nobody reads or writes.
func lockedByte() *windows.Overlapped { return &windows.Overlapped{OffsetHigh: math.MaxInt32} }

package audit

import (
	"errors"

	"golang.org/x/sys/windows"
)

// The locks are on bytes that no record ever reaches: Windows enforces them.
// Each keeps out every other open file, of this process too, and ends with it.

// lock waits for the byte that is held while appending.
func lock(fd uintptr) error {
	return windows.LockFileEx(windows.Handle(fd), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, byteAt(appending))
}

func unlock(fd uintptr) error { return release(fd, appending) }

// claim takes the byte at offset at. It reports whether it was free.
func claim(fd uintptr, at int64) (bool, error) {
	err := windows.LockFileEx(windows.Handle(fd), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, byteAt(at))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}

func release(fd uintptr, at int64) error {
	return windows.UnlockFileEx(windows.Handle(fd), 0, 1, 0, byteAt(at))
}

// claimed reports whether another open file holds the byte at offset at. It
// has to take the byte for a moment to find out.
func claimed(fd uintptr, at int64) (bool, error) {
	free, err := claim(fd, at)
	if free {
		err = release(fd, at)
	}
	return !free, err
}

func byteAt(at int64) *windows.Overlapped {
	return &windows.Overlapped{Offset: uint32(at & 0xffffffff), OffsetHigh: uint32(at >> 32)}
}

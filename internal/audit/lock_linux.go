package audit

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// The locks are on bytes that no record ever reaches, and belong to the open
// file: each keeps out every other open file, of this process too, and ends with
// it. One kind serves for all, because NFS makes a range of what flock locks.

// lock waits for the byte that is held while appending.
func lock(fd uintptr) error { return setLock(fd, unix.F_OFD_SETLKW, unix.F_WRLCK, appending) }

func unlock(fd uintptr) error { return setLock(fd, unix.F_OFD_SETLK, unix.F_UNLCK, appending) }

// claim takes the byte at offset at. It reports whether it was free.
func claim(fd uintptr, at int64) (bool, error) {
	err := setLock(fd, unix.F_OFD_SETLK, unix.F_WRLCK, at)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	return err == nil, err
}

func release(fd uintptr, at int64) error {
	return setLock(fd, unix.F_OFD_SETLK, unix.F_UNLCK, at)
}

// claimed reports whether another open file holds the byte at offset at.
func claimed(fd uintptr, at int64) (bool, error) {
	l := byteLock(unix.F_WRLCK, at)
	err := unix.FcntlFlock(fd, unix.F_OFD_GETLK, &l)
	return l.Type != unix.F_UNLCK, err
}

func setLock(fd uintptr, command int, kind int16, at int64) error {
	l := byteLock(kind, at)
	for {
		err := unix.FcntlFlock(fd, command, &l)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func byteLock(kind int16, at int64) unix.Flock_t {
	return unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: at, Len: 1}
}

package file

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// renameNew renames from to a name that must be new: where something stands, the
// error wraps [os.ErrExist] and nothing happens.
func (d *directory) renameNew(from, to string) error {
	fd := int(d.self.Fd())
	err := unix.Renameat2(fd, from, fd, to, unix.RENAME_NOREPLACE)
	// Some file systems don't know the flag: renameat2(2), EINVAL.
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return d.linkNew(from, to)
	}
	return os.NewSyscallError("renameat2", err)
}

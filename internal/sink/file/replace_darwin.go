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
	err := unix.RenameatxNp(fd, from, fd, to, unix.RENAME_EXCL)
	if errors.Is(err, unix.ENOTSUP) {
		return d.linkNew(from, to)
	}
	return os.NewSyscallError("renameatx_np", err)
}

package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// fileMode is that of a file we create.
const fileMode = 0o600

// A disk is what a file does to its [os.File].
type disk interface {
	io.Writer
	io.ReaderAt
	Stat() (os.FileInfo, error)
	Sync() error
	Truncate(size int64) error
	Fd() uintptr
	Close() error
}

func openDisk(path string) (disk, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, fileMode)
}

// syncDir makes a new name in dir durable. Some file systems refuse, and
// Windows does: there it is not needed.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// cause strips the path that [os.PathError] repeats.
func cause(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Errorf("%s: %w", pe.Op, pe.Err)
	}
	return err
}

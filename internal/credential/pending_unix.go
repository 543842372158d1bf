//go:build unix

package credential

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives f to the owner and group of the file that it replaces.
func keepOwner(f *os.File, was fs.FileInfo) error {
	if was == nil {
		return nil
	}
	st, ok := was.Sys().(*syscall.Stat_t)
	if !ok || int(st.Uid) == os.Geteuid() && int(st.Gid) == os.Getegid() {
		return nil
	}
	return f.Chown(int(st.Uid), int(st.Gid))
}

func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

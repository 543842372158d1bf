//go:build linux || darwin

package file

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// keepsModes: files here have mode bits that mean something.
const keepsModes = true

// links returns how many hard links a file has.
func links(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Nlink) //nolint:gosec // the width differs between systems; no file has that many links
	}
	return 1
}

// groupOf returns the numeric ID of a file's group.
func groupOf(info fs.FileInfo) (int, bool) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Gid), true
	}
	return 0, false
}

// writable returns nil where we may make files in dir.
func writable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }

// syncDir makes what was renamed in an open directory durable.
func syncDir(dir *os.File) error { return dir.Sync() }

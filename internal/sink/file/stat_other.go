//go:build !linux && !darwin

package file

import (
	"io/fs"
	"os"
)

// keepsModes: what mode bits there are say nothing here that we rely on.
const keepsModes = false

// links takes every file for one of a single link.
func links(fs.FileInfo) int { return 1 }

// groupOf knows no groups.
func groupOf(fs.FileInfo) (int, bool) { return 0, false }

// writable leaves it to the first write to find out.
func writable(string) error { return nil }

// syncDir does nothing: not every system here can sync a directory.
func syncDir(*os.File) error { return nil }

//go:build !unix

package notify

import "os/exec"

// together does nothing: the program alone is killed.
func together(*exec.Cmd) (killAll func()) { return func() {} }

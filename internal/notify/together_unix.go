//go:build unix

package notify

import (
	"os/exec"
	"syscall"
)

// together lets cmd be asked to end with all that it has started, as a group of
// processes, and returns what kills those that are left.
func together(cmd *exec.Cmd) (killAll func()) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM); err != nil {
			return cmd.Process.Kill()
		}
		return nil
	}
	return func() {
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // none may be left
		}
	}
}

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheMemoryOfTheDaemonIsNobodysToRead looks at the daemon while it holds
// every secret and waits for a peer, then makes it end as if it had crashed.
func TestTheMemoryOfTheDaemonIsNobodysToRead(t *testing.T) {
	for _, crash := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT} {
		t.Run(crash.String(), func(t *testing.T) {
			s := newStage(t, 8, false)
			s.job["on_start"] = true
			s.env = append(s.env, "GOTRACEBACK=crash")
			s.rotate()
			for _, skill := range s.amazon.skills() {
				s.peers[1].arm("vault-write "+skill, reply{name: "none", raw: func(string) string { return "" }, lingers: true})
			}
			// Whoever starts it may want core files of any size.
			cmd := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -c "$(ulimit -H -c)"; exec "$@"`, "sh",
				program(t, "credsync"), "-c", s.configure(), "--log-level", "debug", "run")
			cmd.Dir, cmd.Env = s.dir, s.env
			d := start(t, cmd)
			until(t, time.Minute, "a write hangs", func() bool { return len(s.met()) > 0 })

			for _, token := range s.peers[1].tokens() {
				s.plant("Vault token", token)
			}
			s.said.secrets = s.secrets
			pid := cmd.Process.Pid
			for _, file := range []string{"cmdline", "environ", "status", "maps", "limits"} {
				b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
				if err != nil {
					t.Fatal(err)
				}
				s.said.look("/proc/PID/"+file, string(b))
				if file == "limits" && !coreIsOff(string(b)) {
					t.Errorf("core files are not off:\n%s", b)
				}
			}
			d.signal(crash)
			d.wait(time.Minute)
			s.said.look("the daemon", d.out.String())
			if !strings.Contains(d.out.String(), "goroutine ") {
				t.Errorf("the daemon left no trace:\n%s", tail(d.out.String()))
			}
			if cores, _ := filepath.Glob(filepath.Join(s.dir, "core*")); len(cores) > 0 || cmd.ProcessState.Sys().(syscall.WaitStatus).CoreDump() {
				t.Errorf("a core was left: %v", cores)
			}
			s.leftovers()
			s.said.wantNothing(t)
		})
	}
}

// coreIsOff reports whether limits, as /proc shows them, allow no core file.
func coreIsOff(limits string) bool {
	for line := range strings.Lines(limits) {
		if strings.HasPrefix(line, "Max core file size") {
			f := strings.Fields(line)
			return f[4] == "0" && f[5] == "0"
		}
	}
	return false
}

// TestOthersOfItsUserCantLookIntoTheProcess runs as somebody who is not root:
// what the system hides of a process shows in who owns its files under /proc.
func TestOthersOfItsUserCantLookIntoTheProcess(t *testing.T) {
	w := newWorld(t, 1)
	w.withFiles("{skill_id}.json", nil)
	cmd := w.command(t.Context(), "--log-format", "json", "run")
	if os.Getuid() == 0 {
		w.give(cmd, nobody)
	}
	d := start(t, cmd)
	d.says(`"msg":"ready"`)
	for _, file := range []string{"environ", "mem", "maps", "fd"} {
		info, err := os.Stat(fmt.Sprintf("/proc/%d/%s", cmd.Process.Pid, file))
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner != 0 {
			t.Errorf("/proc/PID/%s belongs to user %d, want root", file, owner)
		}
	}
	d.stop()
}

const nobody = 65534

// give lets a command run as uid, who gets the world's files and the program.
func (w *world) give(cmd *exec.Cmd, uid int) {
	w.Helper()
	b, err := os.ReadFile(cmd.Path)
	if err != nil {
		w.Fatal(err)
	}
	cmd.Path = filepath.Join(w.dir, "credsync")
	if err := os.WriteFile(cmd.Path, b, 0o700); err != nil {
		w.Fatal(err)
	}
	err = filepath.WalkDir(filepath.Dir(w.dir), func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, uid, uid)
	})
	if err != nil {
		w.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
}

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A debian is a machine that systemd has booted, in a container that has the
// host's network. What is written there is gone with it.
type debian struct {
	*testing.T
	init string // process ID of its systemd, seen from here
	dir  string // where the archive is, in the machine
}

// machines counts them: each has a name of its own.
var machines atomic.Int32

// bootDebian boots one that sees the host's directory archive as its own.
func bootDebian(t *testing.T, archive string) *debian {
	t.Helper()
	const how = "run ./e2e/run as root on a Debian or Ubuntu, which gets it"
	tree, err := filepath.Abs(filepath.Join(bin, "debian"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tree); err != nil {
		missing(t, "a Debian that systemd can boot (bin/debian)", how)
	}
	nspawn, err := exec.LookPath("systemd-nspawn")
	if err != nil {
		missing(t, "systemd-nspawn", how)
	}
	if os.Geteuid() != 0 {
		missing(t, "the right to boot a machine", "run as root")
	}
	m := &debian{T: t, dir: "/root/credsync"}
	cmd := exec.CommandContext(t.Context(), nspawn, "--directory="+tree, "--volatile=overlay", "--boot", "--console=pipe", "--register=no", "--keep-unit",
		fmt.Sprintf("--machine=credsync-%d-%d", os.Getpid(), machines.Add(1)), "--bind-ro="+archive+":"+m.dir)
	cmd.Env = environment(t.TempDir())
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it halts
	p := start(t, cmd)
	deadline := time.Now().Add(time.Minute)
	until(t, 2*time.Minute, "the machine boots", func() bool {
		if p.over() || time.Now().After(deadline) {
			missing(t, "the right to boot a machine", "systemd-nspawn could not do it here; it wants root, namespaces, cgroups and mounts. It said:\n"+tail(p.out.String()))
		}
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid))
		if m.init = strings.TrimSpace(string(children)); err != nil || m.init == "" {
			return false
		}
		state := strings.TrimSpace(m.sh("systemctl is-system-running").stdout)
		return state == "running" || state == "degraded"
	})
	t.Cleanup(func() {
		p.signal(syscall.SIGTERM)
		p.says("halt container")
		p.signal(syscall.SIGTERM) // now, whatever still hangs there
		p.wait(30 * time.Second)
	})
	return m
}

// sh runs a script in the machine, beside the archive.
func (m *debian) sh(script string) run {
	m.Helper()
	cmd := exec.CommandContext(m.Context(), "nsenter", "--target", m.init, "--mount", "--pid", "--uts", "--ipc", "/bin/sh", "-e")
	cmd.Stdin = strings.NewReader("cd " + m.dir + "\n" + script + "\n")
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=", "LANG=C.UTF-8"}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begin := time.Now()
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		m.Fatal(err)
	}
	return run{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String(), took: time.Since(begin)}
}

// must runs a script that has to succeed, and returns what it printed.
func (m *debian) must(script string) string {
	m.Helper()
	r := m.sh(script)
	if r.code != 0 {
		m.Fatalf("%s\nexit code %d\n%s%s", script, r.code, r.stdout, r.stderr)
	}
	return strings.TrimSpace(r.stdout)
}

// write writes a file of the machine.
func (m *debian) write(path, content string) {
	m.Helper()
	m.must(fmt.Sprintf("mkdir -p %s && cat > %s <<'END-OF-FILE'\n%s\nEND-OF-FILE", filepath.Dir(path), path, strings.TrimSuffix(content, "\n")))
}

// property returns what systemd knows of a unit.
func (m *debian) property(unit, name string) string {
	m.Helper()
	return m.must("systemctl show -P " + name + " " + unit)
}

// journal returns what a unit and systemd said of it.
func (m *debian) journal(unit string) string {
	m.Helper()
	return m.must("journalctl -u " + unit + " -o cat --no-pager")
}

package e2e

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// maxShown is how much of a process's output a failed test shows.
const maxShown = 2 << 10

// A process is a program that runs beside a test, which ends it.
type process struct {
	*testing.T
	cmd   *exec.Cmd
	out   transcript
	ended chan struct{}
}

// start starts cmd as the leader of a process group.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{T: t, cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // its state tells
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", cmd.Args[0], tail(p.out.String()))
		}
	})
	return p
}

// says waits until the output matches, and returns what the first group matched.
func (p *process) says(pattern string) string {
	p.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	until(p.T, time.Minute, p.cmd.Args[0]+" says "+pattern, func() bool {
		if p.over() {
			p.Fatalf("%s ended before it said %s:\n%s", p.cmd.Args[0], pattern, tail(p.out.String()))
		}
		found = re.FindStringSubmatch(p.out.String())
		return found != nil
	})
	return found[len(found)-1]
}

func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *process) signal(s syscall.Signal) {
	p.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.Fatal(err)
	}
}

// wait waits for the end of the process and returns its exit code.
func (p *process) wait(limit time.Duration) int {
	p.Helper()
	until(p.T, limit, p.cmd.Args[0]+" ends", p.over)
	return p.cmd.ProcessState.ExitCode()
}

// kill ends the process and all that it started, if they live.
func (p *process) kill() {
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		p.Error(err)
	}
	<-p.ended
}

// until looks until ok, and fails the test when limit has passed.
func until(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain: %s", limit, what)
		}
	}
}

// A transcript is what a process wrote so far.
type transcript struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func tail(s string) string {
	if len(s) > maxShown {
		return "…" + s[len(s)-maxShown:]
	}
	return s
}

// environment is what a process gets: nothing of the caller's settings but where
// programs are, and what is given here.
func environment(home string, more ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + os.TempDir()}, more...)
}

// freeAddress is one of loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

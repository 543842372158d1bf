package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A watch sees each call of a process that changes a file, before the kernel
// makes it; the process stands still meanwhile. It runs in one goroutine. If it
// has killed the process, the call is not made.
type watch func(call)

// A call is a system call on a file: write, fsync or rename.
type call struct {
	name string
	file string // the path; of a rename, the last part of the new one
	text string // how the bytes begin that are to be written
}

// maxText is how much of a write a watch gets to see.
const maxText = 64 << 10

// watched are the system calls that a watch sees.
var watched = map[int32]string{
	unix.SYS_WRITE: "write", unix.SYS_FSYNC: "fsync", unix.SYS_RENAMEAT: "rename", unix.SYS_RENAMEAT2: "rename",
}

// TestMain lets the test binary be what startWatched starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == become {
		fmt.Fprintln(os.Stderr, becomeWatched(os.Args[2:]))
		os.Exit(1)
	}
	m.Run()
}

// become is the word by which the test binary becomes another program.
const become = "become"

// startWatched is start for a process under a watch. The program is the one that
// users run: the kernel tells of its calls (seccomp_unotify(2)). The filter that
// has it do so is put up by a process that then becomes the program.
func startWatched(t *testing.T, cmd *exec.Cmd, see watch) *process {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT PROVEN: only root may look into credsync: run as root")
	}
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ends[0])
	theirs := os.NewFile(uintptr(ends[1]), "listener")
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Args = append([]string{os.Args[0], become}, cmd.Args...)
	cmd.Path, err = os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, cmd)
	_ = theirs.Close()
	listener, err := receive(ends[0])
	if err != nil {
		_ = p.wait(time.Minute)
		missing(t, "the right to watch system calls", tail(p.out.String()))
	}
	go serveCalls(t, listener, see)
	return p
}

// becomeWatched returns only where it fails.
func becomeWatched(args []string) error {
	const theirs = 3 // the first of ExtraFiles
	unix.CloseOnExec(theirs)
	runtime.LockOSThread() // the filter is that of a thread, and what it becomes
	listener, err := listen()
	if err != nil {
		return err
	}
	if err := unix.Sendmsg(theirs, []byte{0}, unix.UnixRights(listener), nil, 0); err != nil {
		return fmt.Errorf("sendmsg: %w", err)
	}
	return unix.Exec(args[0], args, os.Environ())
}

// receive returns the listener that comes through a socket.
func receive(socket int) (listener int, err error) {
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), rights, 0)
	if err != nil {
		return 0, err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) == 0 {
		return 0, fmt.Errorf("no listener came: %w", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return 0, err
	}
	return fds[0], nil
}

// listen puts the calling thread, and what it becomes, under a filter that hands
// the watched calls to the listener.
func listen() (listener int, err error) {
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}} // the number of the call
	for nr := range watched {
		filter = append(filter,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: uint32(nr)},
			unix.SockFilter{Code: unix.BPF_RET, K: unix.SECCOMP_RET_USER_NOTIF})
	}
	filter = append(filter, unix.SockFilter{Code: unix.BPF_RET, K: unix.SECCOMP_RET_ALLOW})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("prctl: %w", err)
	}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return 0, fmt.Errorf("seccomp: %w", errno)
	}
	return int(fd), nil
}

// A notice is the kernel's struct seccomp_notif.
type notice struct {
	ID   uint64
	PID  uint32
	_    uint32
	Nr   int32
	_    uint32
	_    uint64
	Args [6]uint64
}

// A verdict is the kernel's struct seccomp_notif_resp.
type verdict struct {
	ID    uint64
	_     int64
	_     int32
	Flags uint32
}

// serveCalls shows see what comes until nobody is under the filter any more.
func serveCalls(t *testing.T, listener int, see watch) {
	defer unix.Close(listener)
	for t.Context().Err() == nil {
		fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, 1000); n <= 0 {
			if err != nil && err != unix.EINTR {
				t.Errorf("poll: %v", err)
				return
			}
			continue
		}
		if fds[0].Revents&unix.POLLIN == 0 {
			return
		}
		var n notice
		if ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)) != nil {
			continue // who called is gone
		}
		if c, ok := n.call(); ok {
			see(c)
		}
		v := verdict{ID: n.ID, Flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		_ = ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&v)) // may be gone, too
	}
}

func ioctl(fd int, request uint, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

// call reads what n is about, if that is a file.
func (n notice) call() (c call, ok bool) {
	c.name = watched[n.Nr]
	if c.name == "rename" {
		to, _, _ := bytes.Cut(n.memory(n.Args[3], unix.PathMax), []byte{0})
		c.file = filepath.Base(string(to))
		return c, true
	}
	file, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", n.PID, n.Args[0]))
	if err != nil || !strings.HasPrefix(file, "/") {
		return c, false // a socket, a pipe
	}
	c.file = file
	if c.name == "write" {
		c.text = string(n.memory(n.Args[1], min(n.Args[2], maxText)))
	}
	return c, true
}

// memory returns up to size bytes of the caller's memory.
func (n notice) memory(address, size uint64) []byte {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", n.PID))
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, size)
	got, _ := f.ReadAt(b, int64(address)) // what follows may not be mapped
	return b[:got]
}

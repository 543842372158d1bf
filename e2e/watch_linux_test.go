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

// startWatched is start for a process under a watch. The process is the one that
// users run: the kernel tells of its calls (seccomp_unotify(2)).
func startWatched(t *testing.T, cmd *exec.Cmd, see watch) *process {
	t.Helper()
	begun := make(chan *process, 1)
	var failed error
	go func() {
		defer close(begun)
		// A child has the filter of the thread that makes it. This one is not
		// unlocked, so that it ends here, and its filter with it.
		runtime.LockOSThread()
		listener, err := listen()
		if err != nil {
			failed = err
			return
		}
		go serveCalls(t, listener, see)
		begun <- start(t, cmd)
	}()
	p := <-begun
	if failed != nil {
		missing(t, "the right to watch system calls", failed.Error())
	}
	return p
}

// listen puts the calling thread, and what it starts, under a filter that hands
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
		return 0, err
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

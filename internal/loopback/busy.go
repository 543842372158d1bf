package loopback

import (
	"errors"
	"syscall"
)

// wsaAddrInUse is EADDRINUSE as Windows says it (Windows Sockets error codes).
const wsaAddrInUse = syscall.Errno(10048)

func busy(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaAddrInUse)
}

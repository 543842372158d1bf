package main

import (
	"io"
	"log"
)

// harden shuts what a secret in this process could leave by, before the first
// one is read: the system's dumps of memory, and Go's own logger. An error is
// for a person to know; nothing depends on it.
func harden() error {
	// net/http says here what a peer sent unasked, word for word, and under
	// GODEBUG=http2debug all that goes over the wire. We have a logger of our own.
	log.SetOutput(io.Discard) //nolint:forbidigo // so that nobody uses it
	return noDumps()
}

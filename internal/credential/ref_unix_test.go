//go:build unix

package credential_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/credsync/credsync/internal/credential"
)

// A pipe in the place of a secret must not hold up the start.
func TestReadDoesNotWaitForAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := credential.Ref{File: pipe}.Read()
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("got %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("still waiting for somebody to write into the pipe")
	}
}

// The file is there and right; it is the reader who is not let in.
func TestReadWhatIsClosed(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads all")
	}
	closed := write(t, "s3cret", 0)
	below := write(t, "s3cret", 0o600)
	if err := os.Chmod(filepath.Dir(below), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Dir(below), 0o700) })
	for _, path := range []string{closed, below} {
		_, err := credential.Ref{File: path}.Read()
		if err == nil || !strings.HasPrefix(err.Error(), path+": permission denied; let this user read it") {
			t.Errorf("got %v", err)
		}
	}
}

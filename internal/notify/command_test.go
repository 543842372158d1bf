//go:build unix

package notify

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// script writes a program for the shell and returns its path.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hook")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestACommandLearnsOfTheRunAndOfNothingElse(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary")
	t.Setenv("CREDENTIALS_DIRECTORY", "/canary")
	out := filepath.Join(t.TempDir(), "out")
	c := NewCommand(CommandConfig{Command: []string{script(t, `{ echo "$1 $CREDSYNC_JOB $CREDSYNC_RUN $CREDSYNC_INSTANCE $CREDSYNC_OCCASIONS"; cat; echo; env; } > "$2"`), "first argument", out}})
	if err := c.Deliver(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want := "first argument voice " + event.ID + " prod changed,failed\n" + `{"job":"voice"}` + "\n"
	if got := string(b); !strings.HasPrefix(got, want) || strings.Contains(got, "canary") {
		t.Errorf("the program got\n%s\nwant\n%s", got, want)
	}
}

func TestACommandThatFailsSaysHow(t *testing.T) {
	for text, want := range map[string]string{
		"echo canary; echo canary >&2; exit 3": "exit status 3",
		"kill -9 $$":                           "signal: killed",
		"exec sleep 1000":                      "it took longer than 100ms",
		"trap '' TERM; sleep 1000 & wait":      "it took longer than 100ms",
	} {
		c := NewCommand(CommandConfig{Command: []string{script(t, text)}, Timeout: 100 * time.Millisecond})
		c.grace = 50 * time.Millisecond
		if err := c.Deliver(t.Context(), event); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
	gone := NewCommand(CommandConfig{Command: []string{"/no/such/program"}})
	if err := gone.Deliver(t.Context(), event); err == nil || err.Error() != "/no/such/program: not started: no such file or directory" {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := gone.Deliver(ctx, event); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("error %v", err)
	}
}

// A program that is stopped takes along what it has started: the pipe ends when
// nobody holds it any more.
func TestACommandLeavesNothingBehind(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	c := NewCommand(CommandConfig{Command: []string{script(t, `sh -c 'trap "" TERM; exec 3> "$1"; echo here >&3; while :; do sleep 1; done' x "$1" & wait`), pipe}, Timeout: time.Second})
	done := make(chan error)
	go func() { done <- c.Deliver(t.Context(), event) }()
	said, err := os.ReadFile(pipe)
	if err != nil || string(said) != "here\n" {
		t.Errorf("the pipe held %q, %v", said, err)
	}
	if err := <-done; err == nil {
		t.Error("no error")
	}
}

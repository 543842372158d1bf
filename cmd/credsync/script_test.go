package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/credsync/credsync/internal/emulator"
)

// maxTicks is how often a script looks for what another process should do.
const maxTicks = 1500

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"credsync": main, "allow": browseMain("allow"), "deny": browseMain("deny")})
}

// TestScripts runs the binary through one script per thing that a user does.
// The scripts have these commands beside testscript's own, and two browsers in
// PATH, "allow" and "deny":
//
//	amazon [SKILLS]          start a local Amazon; its configuration is in $WORK
//	control METHOD PATH [BODY]   what the emulator does on demand
//	code N COMMAND…          run a command that has to end with exit code N
//	term, hup                send SIGTERM or SIGHUP to what runs in the background
//	receiver FILE [STATUS]   start a webhook that appends what it gets to FILE, a line each; $RECEIVER is its URL
//	port NAME                put a port where nobody listens into the variable NAME
//	within FILE TEXT         wait until the file holds the text
//	http                     add http.listen, on a port that nobody has, to the configuration; its URL is in $DAEMON
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("CREDSYNC_CONFIG", filepath.Join(env.WorkDir, "credsync.yaml"))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "ci" { // where nothing may be missing
				return false, fmt.Errorf("no condition %q", cond)
			}
			return os.Getenv("CI") != "", nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"amazon": amazonCommand, "control": controlCommand, "code": codeCommand, "term": signalCommand(syscall.SIGTERM), "hup": signalCommand(syscall.SIGHUP), "within": withinCommand, "receiver": receiverCommand, "http": httpCommand, "port": portCommand,
		},
	})
}

func amazonCommand(ts *testscript.TestScript, _ bool, args []string) {
	skills := 5
	if len(args) > 0 {
		var err error
		skills, err = strconv.Atoi(args[0])
		ts.Check(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := emulator.New(emulator.Options{Skills: skills})
	s, err := emulator.Serve(ctx, "", a)
	ts.Check(err)
	ts.Defer(func() {
		cancel()
		ts.Check(s.Wait())
	})
	_, err = emulator.WriteConfig(ts.Getenv("WORK"), s.URL, a)
	ts.Check(err)
	ts.Setenv("AMAZON", s.URL)
	ts.Setenv("CLIENT", a.ClientID())
	for i, id := range a.Skills() {
		ts.Setenv(fmt.Sprintf("SKILL%d", i), string(id))
	}
}

func controlCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: control METHOD PATH [BODY]")
	}
	req, err := http.NewRequest(args[0], ts.Getenv("AMAZON")+"/emulator/"+args[1], strings.NewReader(strings.Join(args[2:], " ")))
	ts.Check(err)
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if resp.StatusCode >= 300 {
		ts.Fatalf("%s %s: %s\n%s", args[0], args[1], resp.Status, body)
	}
	fmt.Fprintf(ts.Stdout(), "%s", body)
}

func receiverCommand(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	status := http.StatusNoContent
	if len(args) > 1 {
		status, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		ts.Check(err)
		_, err = fmt.Fprintf(f, "%s %s\n", req.Header.Get("webhook-signature"), body)
		ts.Check(err)
		w.WriteHeader(status)
	}))
	ts.Defer(func() {
		server.Close()
		ts.Check(f.Close())
	})
	ts.Setenv("RECEIVER", server.URL)
}

// codeCommand is "! exec" that looks closer.
func codeCommand(ts *testscript.TestScript, _ bool, args []string) {
	want := args[0]
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != want {
		ts.Fatalf("exit code %s, want %s", got, want)
	}
}

func signalCommand(sig os.Signal) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		for _, cmd := range ts.BackgroundCmds() {
			ts.Check(cmd.Process.Signal(sig))
		}
	}
}

// httpCommand finds a port by taking it for a moment.
func httpCommand(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	address := l.Addr().String()
	ts.Check(l.Close())
	f, err := os.OpenFile(ts.MkAbs("credsync.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	_, err = fmt.Fprintf(f, "http:\n  listen: %s\n", address)
	ts.Check(errors.Join(err, f.Close()))
	ts.Setenv("DAEMON", "http://"+address)
}

// withinCommand looks at a file until it holds a text: testscript has no other
// way to wait for what runs in the background.
func withinCommand(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range maxTicks {
		if b, err := os.ReadFile(name); err == nil && strings.Contains(string(b), args[1]) {
			return
		}
		<-tick.C
	}
	ts.Fatalf("%s never held %q", args[0], args[1])
}

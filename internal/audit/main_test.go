package audit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/credsync/credsync/internal/credential"
)

// Where these are set, the test binary is a writer of its own.
const (
	envFile  = "CREDSYNC_TEST_AUDIT_FILE"
	envCount = "CREDSYNC_TEST_AUDIT_COUNT" // writes per goroutine; 0 = until killed
	envFat   = "CREDSYNC_TEST_AUDIT_FAT"   // set: many goroutines, and long records
)

const childWriters = 4

var testKey = credential.NewSecret("audit-key-CANARY-7f3a")

func TestMain(m *testing.M) {
	if path := os.Getenv(envFile); path != "" {
		os.Exit(writeAsChild(path))
	}
	os.Exit(m.Run())
}

// writeAsChild makes runs of intents and outcomes in several goroutines, and
// prints the name of each intent that is durable.
func writeAsChild(path string) int {
	count, _ := strconv.Atoi(os.Getenv(envCount))
	trail, err := Open(Options{Host: "child", Files: []string{path}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	put := func(r Record) {
		if err := trail.Append(context.Background(), r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	writers, suffix := childWriters, ""
	if os.Getenv(envFat) != "" {
		writers, suffix = 8, "/"+strings.Repeat("\x01", maxMember-100)
	}
	var out sync.Mutex
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			run := fmt.Sprintf("%d/%d", os.Getpid(), w)
			for i := 0; count == 0 || i < count; i++ {
				r := Record{Event: WriteIntent, Run: run, Sink: "vault", Name: fmt.Sprintf("%s/%d%s", run, i, suffix)}
				put(r)
				out.Lock()
				fmt.Println(strings.TrimSuffix(r.Name, suffix))
				out.Unlock()
				r.Event, r.Outcome = WriteOutcome, "created"
				put(r)
			}
			put(Record{Event: RunFinish, Run: run})
		})
	}
	wg.Wait()
	if err := trail.Close(); err != nil {
		return 1
	}
	return 0
}

// startChild starts a writer on path in another process.
func startChild(t *testing.T, path string, count int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), envFile+"="+path, envCount+"="+strconv.Itoa(count))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

func tempTrail(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "audit.jsonl")
}

// open opens a trail that is closed with the test.
func open(t *testing.T, o Options) *Trail {
	t.Helper()
	trail, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = trail.Close() })
	return trail
}

// write appends n records.
func write(t *testing.T, trail *Trail, n int) {
	t.Helper()
	for i := range n {
		if err := trail.Append(t.Context(), Record{Event: ConfigReload, Name: strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
	}
}

// verify reports on the file at path, which must hold.
func verify(t *testing.T, path string, o VerifyOptions) Report {
	t.Helper()
	report, err := Verify(bytes.NewReader(read(t, path)), o)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return report
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// badLine verifies log, which must not hold, and returns where.
func badLine(t *testing.T, log []byte, o VerifyOptions) *BadLineError {
	t.Helper()
	_, err := Verify(bytes.NewReader(log), o)
	bad, ok := errors.AsType[*BadLineError](err)
	if !ok {
		t.Fatalf("verify: got %v, want a bad line", err)
	}
	return bad
}

// lines makes n lines of one chain.
func lines(t testing.TB, key credential.Secret, n int) [][]byte {
	t.Helper()
	c := newChain(key)
	out := make([][]byte, n)
	for i := range out {
		line, err := c.next(nil, Record{Event: WriteOutcome, Run: "run", Skill: "amzn1.ask.skill.x", Name: fmt.Sprintf("alexa/%d", i), Outcome: "created"})
		if err != nil {
			t.Fatal(err)
		}
		out[i] = line
	}
	return out
}

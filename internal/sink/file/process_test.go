//go:build linux || darwin

package file_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/file"
)

// writerDir is the environment variable that makes a test process the writer of
// TestKilledWriters.
const writerDir = "CREDSYNC_TEST_WRITER_DIR"

// values are what the writers write in turn.
func values(t *testing.T, c file.Config) []sink.Record {
	var records []sink.Record
	for n := range 5 {
		records = append(records, record(t, c, owner, name, strings.Repeat(strconv.Itoa(n), 2000)))
	}
	return records
}

// TestWriter is no test but the process that TestKilledWriters kills.
func TestWriter(t *testing.T) {
	dir := os.Getenv(writerDir)
	if dir == "" {
		t.Skip("only as the process of another test")
	}
	c := file.Config{Dir: dir, Name: "{skill_id}.json"}
	s, records := open(t, c), values(t, c)
	for n := 0; ; n++ {
		prev := inspect(t, s)
		_, err := s.Put(t.Context(), name, records[n%len(records)], prev)
		if err != nil && !errors.Is(err, sink.ErrConflict) {
			t.Fatal(err)
		}
		fmt.Println("wrote")
	}
}

// TestKilledWriters kills two processes that write one name, again and again,
// at whatever they are doing: what stands afterwards is one whole value, and
// the next write goes through.
func TestKilledWriters(t *testing.T) {
	kills := 15
	if testing.Short() {
		kills = 3
	}
	c := config(t)
	s, records := open(t, c), values(t, c)
	version := 0
	for n := range kills {
		stop, stopOther := writer(t, c.Dir), writer(t, c.Dir)
		stop()
		stopOther()
		state := inspect(t, s)
		if state.Exists {
			body := read(t, filepath.Join(c.Dir, name))
			if !slices.ContainsFunc(records, func(r sink.Record) bool { return r.Body.Reveal() == body }) {
				t.Fatalf("kill %d: what stands is none of the values", n)
			}
		}
		if state != (sink.State{}) && state.Owner != owner {
			t.Fatalf("kill %d: got %+v, want it ours", n, state)
		}
		r := records[n%len(records)]
		after := put(t, s, r)
		now, err := strconv.Atoi(after.Version)
		if err != nil || now < version {
			t.Fatalf("kill %d: version %q after %d", n, after.Version, version)
		}
		version = now
		wantCurrent(t, s, r, after.Version)
		wantDisk(t, c, r.Body.Reveal())
	}
	t.Logf("%d versions in %d kills", version, kills)
}

// writer starts a process that writes into dir. What it returns kills it in the
// middle of a write, after a few.
func writer(t *testing.T, dir string) (stop func()) {
	t.Helper()
	p := exec.Command(os.Args[0], "-test.run=^TestWriter$")
	p.Env = append(os.Environ(), writerDir+"="+dir)
	out, err := p.StdoutPipe()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		lines := bufio.NewScanner(out)
		for n := rand.IntN(4); n >= 0 && lines.Scan(); n-- {
			if lines.Text() != "wrote" {
				t.Errorf("a writer says %q", lines.Text())
			}
		}
		_ = p.Process.Kill()
		err := p.Wait()
		if ee, ok := errors.AsType[*exec.ExitError](err); !ok || ee.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("a writer ended by itself: %v", err)
		}
	}
}

func TestTwoSinksOfOneDirectoryHaveOneWinner(t *testing.T) {
	c := config(t)
	for round := range 20 {
		base := fmt.Sprintf("%d.json", round)
		sinks := []*file.Sink{open(t, c), open(t, c), open(t, c)}
		errs := make([]error, len(sinks))
		var wg sync.WaitGroup
		for n, s := range sinks {
			r := record(t, c, owner, base, fmt.Sprint(n))
			wg.Go(func() { _, errs[n] = s.Put(t.Context(), base, r, sink.State{}) })
		}
		wg.Wait()
		won := 0
		for n, err := range errs {
			switch {
			case err == nil:
				won++
				if got := read(t, filepath.Join(c.Dir, base)); !strings.Contains(got, fmt.Sprintf(`"%d"`, n)) {
					t.Errorf("round %d: the winner's value doesn't stand", round)
				}
			case !errors.Is(err, sink.ErrConflict):
				t.Errorf("round %d: %v", round, err)
			}
		}
		if won != 1 {
			t.Errorf("round %d: %d winners, want 1", round, won)
		}
	}
}

// TestALookNeverSeesHalfAWrite looks while another writes: the mark and the
// bytes that it sees belong together, though a value may not be confirmed yet.
func TestALookNeverSeesHalfAWrite(t *testing.T) {
	c := config(t)
	s, records := open(t, c), values(t, c)
	put(t, s, records[0])
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(done)
		for n := range 30 {
			prev, err := s.Inspect(t.Context(), name)
			if err == nil {
				_, err = s.Put(t.Context(), name, records[n%len(records)], prev)
			}
			if err != nil {
				t.Errorf("write %d: %v", n, err)
			}
		}
	})
	looker := open(t, c)
	var digests []string // of the versions 1, 2, 3 …, which come round
	for _, r := range records {
		sum := sha256.Sum256([]byte(r.Body.Reveal()))
		digests = append(digests, hex.EncodeToString(sum[:]))
	}
	for n := 0; ; n++ {
		select {
		case <-done:
			wg.Wait()
			t.Logf("%d looks", n)
			return
		default:
		}
		state, err := looker.Inspect(t.Context(), name)
		if err != nil {
			t.Errorf("look %d: %v", n, err)
		}
		version, _ := strconv.Atoi(state.Version)
		if state.Owner != owner || version == 0 || state.Ref != digests[(version-1)%len(digests)] {
			t.Errorf("look %d: got %+v, want it ours, and the bytes of its version", n, state)
		}
	}
}

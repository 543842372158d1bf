package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMeasure measures credsync on this machine and writes ../docs/benchmarks.md
// with what it finds. It holds nothing: what is asked stands beside each figure.
// A sample is quick; CREDSYNC_TEST_FULL=1 makes it the full size. What is not
// measured this time stands as it was found before:
//
//	./e2e/measure -run '^TestMeasure$/^pace$'
func TestMeasure(t *testing.T) {
	if !*measure {
		t.Skip("only with -measure")
	}
	f := recall(t)
	f.Machine = machine()
	for _, part := range []struct {
		name    string
		measure func(t *testing.T)
	}{{"start", f.start}, {"throughput", f.throughput}, {"memory", f.memory}, {"runs", f.runs}, {"pace", f.pace}} {
		t.Run(part.name, func(t *testing.T) {
			part.measure(t)
			f.Of[part.name] = provenance{commit(), size(0, 1) == 1}
			f.keep()
		})
	}
	f.write()
}

// A findings is what docs/benchmarks.md tells.
type findings struct {
	t          *testing.T
	Of         map[string]provenance // by part
	Machine    []string
	Start      []figure
	Skills     int // of the throughput
	Workers    int
	Rounds     int
	Throughput []standing
	Apart      []standing // with a processor for the servers and one for the contender
	Memory     []footprint
	Runs       []figure
	Pace       []figure
}

// A provenance is what a part was measured of, and whether in full size.
type provenance struct {
	Commit string
	Full   bool
}

// kept is where findings are kept for the next time.
const kept = bin + "/findings.json"

// recall returns what was found before.
func recall(t *testing.T) *findings {
	t.Helper()
	f := &findings{t: t, Of: make(map[string]provenance)}
	if b, err := os.ReadFile(kept); err == nil {
		if err := json.Unmarshal(b, f); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f *findings) keep() {
	f.t.Helper()
	if err := os.WriteFile(kept, []byte(encode(f.t, f)), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// A figure is one thing that was asked and measured.
type figure struct{ What, Asked, Measured string }

// A cost is what one run of a program took.
type cost struct {
	took, cpu time.Duration
	peak      int64 // bytes that it held at most
	own       int64 // of them its own: no pages of files
}

// spend runs cmd to its end, which must be a good one.
func spend(t *testing.T, cmd *exec.Cmd, stdin io.Reader) cost {
	t.Helper()
	var said transcript
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, io.Discard, &said
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var c cost
	for tick := time.NewTicker(25 * time.Millisecond); ; { // to look more often takes what is measured its time
		select {
		case <-tick.C:
			c.peak = max(c.peak, heldByAll(cmd.Process.Pid))
			c.own = max(c.own, held(cmd.Process.Pid, "RssAnon"))
			continue
		case err := <-ended:
			tick.Stop()
			if err != nil {
				t.Fatalf("%s: %v\n%s", cmd.Args[0], err, tail(said.String()))
			}
		}
		c.took, c.cpu = time.Since(begin), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
		return c
	}
}

// held returns what a process holds in memory, in bytes, by a name that
// /proc/PID/status has: now (VmRSS, RssAnon) or at most ever (VmHWM). What wait(2) tells
// of a child begins with the memory of its parent.
func held(pid int, what string) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	found := regexp.MustCompile(what + `:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0
	}
	kib, _ := strconv.ParseInt(string(found[1]), 10, 64)
	return kib << 10
}

// heldByAll returns what a process and its children held at most.
func heldByAll(pid int) int64 {
	all := held(pid, "VmHWM")
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid)) // none where it has ended
	for child := range strings.FieldsSeq(string(children)) {
		pid, _ := strconv.Atoi(child)
		all += held(pid, "VmHWM")
	}
	return all
}

// A spread is the least, the middle and the most of what was measured.
type spread struct{ Min, Median, Max float64 }

func spreadOf(values []float64) spread {
	v := slices.Sorted(slices.Values(values))
	return spread{v[0], v[len(v)/2], v[len(v)-1]}
}

func (s spread) format(form string) string {
	return fmt.Sprintf(form+" / "+form+" / "+form, s.Min, s.Median, s.Max)
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

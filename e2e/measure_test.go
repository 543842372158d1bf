package e2e

import (
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"
)

// TestMeasure says what runs of 1,000 skills into files and Vault cost. It holds
// nothing: figures are this machine's. The peak is what Linux says.
func TestMeasure(t *testing.T) {
	if !*measure {
		t.Skip("only with -measure")
	}
	w := newWorld(t, 1000)
	v := w.withVault()
	w.withFiles("{skill_id}.json", nil)
	info, err := os.Stat(program(t, "credsync"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("binary: %.1f MB", float64(info.Size())/1e6)
	for _, what := range []string{"first fill", "nothing changed"} {
		_, mark := v.requests(0)
		w.amazon.forget()
		begin, peak := time.Now(), "?"
		p := start(t, w.command(t.Context(), "--log-level", "warn", "sync"))
		until(t, maxRun, "the run ends", func() bool {
			if now := highWater(p.cmd.Process.Pid); now != "" {
				peak = now
			}
			return p.over()
		})
		took := time.Since(begin)
		state := p.cmd.ProcessState
		seen, _ := v.requests(mark)
		t.Logf("%-15s exit code %d, took %s, CPU %s, peak %s", what, state.ExitCode(), took.Round(10*time.Millisecond),
			(state.UserTime() + state.SystemTime()).Round(10*time.Millisecond), peak)
		t.Logf("%-15s asked Amazon for %d pairs, %d proofs; Vault %d: %s", "", w.amazon.asked("credentials"), w.amazon.asked("verify"),
			len(seen), table(counts(seen)))
	}
}

// highWater returns the most memory that a process ever held, or "". What wait(2)
// tells of a child begins with the memory of its parent.
func highWater(pid int) string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return ""
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+ kB)`).FindSubmatch(status)
	if found == nil {
		return ""
	}
	return string(found[1])
}

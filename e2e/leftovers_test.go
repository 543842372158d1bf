package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestAFaultLeavesNothingBehind lets daemons live through a fault and heal.
// Then each is as one that saw no fault: it has the same goroutines and
// descriptors, beside idle connections.
func TestAFaultLeavesNothingBehind(t *testing.T) {
	r := rand.New(rand.NewPCG(seed(), 2))
	order := r.Perm(len(toxics))
	for i, n := range r.Perm(len(peerNames)) {
		if i >= size(1, len(peerNames)) {
			break
		}
		name := peerNames[n]
		t.Run(name, func(t *testing.T) {
			s := newStorm(t, 6)
			s.job["schedule"], s.job["on_start"], s.job["timeout"] = "0 0 1 1 *", true, faultTime.String() // once a year
			s.env = append(s.env, "GOTRACEBACK=all")
			well := s.daemon()
			well.says(`"msg":"run finished"`)
			want := well.leftovers()
			for _, x := range order[:size(1, len(toxics))] {
				c := cell{toxics[x], name, atLook, ways[r.IntN(len(ways))]}
				t.Run(c.String(), func(t *testing.T) {
					s.T = t
					got := s.outlive(c)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("a daemon that saw no fault and this one (-want +got):\n%s", diff)
					}
				})
			}
		})
	}
}

// outlive returns what is left of a fault in a daemon that outlives it.
func (s *storm) outlive(c cell) map[string]int {
	s.Helper()
	s.disturb()
	p := s.peers[c.peer]
	p.begin(c.phase, func() { p.poison(c.toxic, c.ways) })
	d := s.daemon()
	outcome := d.says(`"msg":"(run finished[^"]*)"`)
	p.set(nil)
	p.cure()
	begin := time.Now()
	until(s.T, 2*time.Minute, "the daemon heals", s.held)
	s.Logf("%s; healed after %s", outcome, time.Since(begin).Round(time.Second))
	if outcome != "run finished" {
		d.says(`"msg":"run finished"`)
	}
	return d.leftovers()
}

// created is what a trace says of where a goroutine comes from.
var created = regexp.MustCompile(`(?m)^goroutine \d+ [^:]*:\n(?:.*\n)*?created by (\S+)`)

// leftovers ends a daemon that is idle, and counts its goroutines by what made
// them, and its open files. Connections are two goroutines and a file each: what
// is counted of them is how far that does not match.
func (p *process) leftovers() map[string]int {
	p.Helper()
	p.says(`"msg":"waiting"`)
	files, quiet := p.files(), 0
	until(p.T, time.Minute, "the daemon is quiet", func() bool {
		now := p.files()
		if quiet++; !cmp.Equal(now, files) {
			files, quiet = now, 0
		}
		return quiet == 50
	})
	p.signal(syscall.SIGQUIT)
	p.wait(10 * time.Second)
	left := make(map[string]int)
	for block := range strings.SplitSeq(p.out.String()[strings.Index(p.out.String(), "SIGQUIT"):], "\n\n") {
		if found := created.FindStringSubmatch(block + "\n"); found != nil {
			left[found[1]]++
		}
	}
	const connection = "net/http.(*Transport).dialConn"
	left["sockets beside connections"] = files["socket"] - left[connection]/2
	if left[connection]%2 != 0 {
		p.Errorf("%d goroutines of connections", left[connection])
	}
	delete(left, connection)
	left["other files"] = files["other"]
	return left
}

// files counts a process's open files by kind.
func (p *process) files() map[string]int {
	p.Helper()
	n := make(map[string]int)
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.cmd.Process.Pid))
	if err != nil || len(links) == 0 {
		p.Skipf("NOT PROVEN: only Linux tells which files process %d has open", p.cmd.Process.Pid)
	}
	for _, link := range links {
		kind := "other"
		if to, _ := os.Readlink(link); strings.HasPrefix(to, "socket:") {
			kind = "socket"
		}
		n[kind]++
	}
	return n
}

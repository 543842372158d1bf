package audit

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/scale"
)

// TestKilledWriters kills writers in the middle of their work, all on one file:
// what they said was durable is there, and the chain holds.
func TestKilledWriters(t *testing.T) {
	path := tempTrail(t)
	rnd := rand.New(rand.NewPCG(3, 0))
	var durable []string
	for round := range 20 {
		child, out := startChild(t, path, 0)
		for range 1 + rnd.IntN(60) {
			if !out.Scan() {
				t.Fatalf("round %d: the writer ended by itself", round)
			}
			durable = append(durable, out.Text())
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for out.Scan() {
			durable = append(durable, out.Text())
		}
		_ = child.Wait()
		if got := verify(t, path, VerifyOptions{}).Records; got < len(durable) {
			t.Fatalf("round %d: %d records; %d were durable", round, got, len(durable))
		}
	}
	content := string(read(t, path))
	for _, name := range durable {
		if !strings.Contains(content, `"name":"`+name+`"`) {
			t.Errorf("%s is missing", name)
		}
	}
	t.Logf("%d records survived 20 kills", len(durable))
}

// TestAKillIsNoTampering kills writers of long records, each in the middle of a
// file of its own: 200 with CREDSYNC_TEST_FULL. The kernel cuts a write that is
// under way where a page ends.
func TestAKillIsNoTampering(t *testing.T) {
	t.Setenv(envFat, "1")
	kills, torn := scale.Size(6, 200), 0
	rnd := rand.New(rand.NewPCG(scale.Seed(), 4))
	for n := range kills {
		path := tempTrail(t)
		child, out := startChild(t, path, 0)
		for range 1 + rnd.IntN(20) {
			out.Scan()
		}
		for range rnd.IntN(2) * 20_000 { // every other in the middle of a write, if it can be seen
			if !endsWithNewline(t, path) {
				break
			}
		}
		_ = child.Process.Kill()
		_ = child.Wait()
		log := read(t, path)
		report := verify(t, path, VerifyOptions{})
		if cut := !bytes.HasSuffix(log, []byte("\n")); cut != (len(report.Torn) == 1) || cut && report.Torn[0] != bytes.Count(log, []byte("\n"))+1 {
			t.Errorf("kill %d: torn: %v of %d lines, the last one cut: %t", n, report.Torn, bytes.Count(log, []byte("\n")), cut)
		}
		torn += len(report.Torn)
		write(t, open(t, Options{Files: []string{path}}), 1)
		if after := verify(t, path, VerifyOptions{Head: report.Head}); after.Records < report.Records+1 || len(after.Torn) > len(report.Torn) {
			t.Errorf("kill %d: %d records before, then %+v", n, report.Records, after)
		}
		_ = os.Remove(path)
	}
	t.Logf("seed %d: %d kills, %d of them tore a line", scale.Seed(), kills, torn)
}

func endsWithNewline(t *testing.T, path string) bool {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return err == nil && last[0] == '\n'
}

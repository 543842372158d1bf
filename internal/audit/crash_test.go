package audit

import (
	"math/rand/v2"
	"strings"
	"testing"
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

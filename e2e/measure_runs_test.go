package e2e

import (
	"fmt"
	"testing"
	"time"
)

// runs measures whether a daemon holds more from one run to the next: many jobs,
// each every minute, with something to write in each round.
func (f *findings) runs(t *testing.T) {
	const jobs = 100
	rounds := size(2, 10)
	w := loneWorld(t, 10)
	each := make(settings, jobs)
	for n := range jobs {
		name := fmt.Sprintf("job-%d", n)
		w.sinks[name] = settings{"file": settings{"dir": "secrets/" + name, "name": "{skill_id}.json"}}
		each[name] = settings{
			"source": "amazon", "skills": file("skills.txt"), "sinks": []string{name},
			"schedule": "* * * * *", "on_start": true, "max_changes": "100%",
		}
	}
	w.more["jobs"] = each
	p := start(t, w.command(t.Context(), "run"))
	var held []int64
	for round := range rounds {
		until(t, 2*time.Minute, fmt.Sprintf("round %d ends", round+1), func() bool { return w.finished() >= jobs*(round+1) })
		held = append(held, p.resident(time.Second))
		t.Logf("after %d runs: %s", jobs*(round+1), mebibytes(held[round]))
		w.amazon.rotate(2)
	}
	p.stop()
	f.Runs = []figure{{
		fmt.Sprintf("daemon of %d jobs with 10 skills each, after %[1]d runs and after %d", jobs, jobs*rounds), "the same",
		mebibytes(held[0]) + ", " + mebibytes(held[len(held)-1]),
	}}
}

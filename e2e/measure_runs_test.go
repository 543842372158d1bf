package e2e

import (
	"fmt"
	"testing"
	"time"
)

// limited measures what a run holds for itself under a limit that is lower than
// what it would take.
func (f *findings) limited(t *testing.T) figure {
	const limit = 12 << 20
	skills := size(1000, 10_000)
	w := loneWorld(t, skills)
	w.withFiles("{skill_id}.json", nil)
	w.source["concurrency"], w.source["requests_per_second"], w.source["max_requests_per_second"] = 16, 10_000, 10_000
	cmd := w.command(t.Context(), "--log-level", "warn", "sync")
	cmd.Env = append(cmd.Env, fmt.Sprint("GOMEMLIMIT=", limit))
	c := spend(t, cmd, nil)
	return figure{
		fmt.Sprintf("first fill of %d files with `GOMEMLIMIT=12MiB`: memory of its own, without pages of files", skills), mebibytes(limit), mebibytes(c.own),
	}
}

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
	}, f.limited(t)}
}

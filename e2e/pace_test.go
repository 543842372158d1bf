package e2e

import (
	"testing"
	"time"
)

func TestThePaceFindsWhatAmazonAllows(t *testing.T) {
	const skills, rate = 150, 30
	w := newWorld(t, skills)
	w.withFiles("{skill_id}.json", nil)
	delete(w.source, "requests_per_second") // as an operator would have it
	delete(w.source, "max_requests_per_second")
	w.amazon.control("POST", "rate?rate=30&burst=5", nil, nil)
	for _, run := range []struct {
		outcome string
		most    time.Duration // of the time that the limit alone takes, in percent
	}{
		{"created", 200},   // with the way up
		{"unchanged", 175}, // from where the first run was
	} {
		w.amazon.control("DELETE", "requests", nil, nil)
		r := w.wantSync(0, map[string]int{run.outcome: skills})
		t.Logf("%d skills at %d requests a second took %s, by the pace alone %s; Amazon was asked %d times", skills, rate,
			r.took.Round(100*time.Millisecond), time.Duration(skills)*time.Second/rate, w.amazon.asked("credentials"))
		if r.took > skills*time.Second/rate*run.most/100 { // a busy machine wakes us late
			t.Errorf("that is more than %d %%", run.most)
		}
	}
}

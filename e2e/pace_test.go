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
	r := w.wantSync(0, map[string]int{"created": skills})
	t.Logf("%d skills at %d requests a second took %s, by the pace alone %s; Amazon was asked %d times", skills, rate,
		r.took.Round(100*time.Millisecond), time.Duration(skills)*time.Second/rate, w.amazon.asked("credentials"))
	if r.took > 4*skills*time.Second/rate {
		t.Error("that is more than four times as long")
	}
}

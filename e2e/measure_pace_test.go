package e2e

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// pace lets a plan, which waits for nothing but Amazon, find out what Amazon
// allows, and Amazon change its mind twice. The emulator's log tells what came of
// it.
func (f *findings) pace(t *testing.T) {
	type phase struct {
		rate, seconds int
	}
	phases := []phase{{20, size(8, 30)}, {40, size(8, 30)}, {20, size(8, 30)}}
	skills := 0
	for _, p := range phases {
		skills += p.rate * p.seconds
	}
	w := loneWorld(t, skills)
	w.withFiles("{skill_id}.json", nil)
	delete(w.source, "requests_per_second")
	delete(w.source, "max_requests_per_second")
	limit := func(rate int) { w.amazon.control("POST", fmt.Sprintf("rate?rate=%d&burst=1", rate), nil, nil) }
	limit(phases[0].rate)
	w.amazon.forget()
	p := start(t, w.command(t.Context(), "--log-level", "warn", "plan"))
	begin := time.Now()
	var log []emulated
	chart := plot{Title: "Answers a second, and what the server allows", X: "seconds", Y: "requests a second"}
	allowed := curve{Name: "allowed", Colour: 3, Step: true}
	gather := func() {
		var answer struct{ Last []emulated }
		w.amazon.control("GET", "requests?last=5000", nil, &answer)
		log = append(log, answer.Last...)
		w.amazon.forget()
	}
	for _, ph := range phases {
		limit(ph.rate)
		allowed.add(time.Since(begin).Seconds(), float64(ph.rate))
		for end := time.Now().Add(time.Duration(ph.seconds) * time.Second); time.Now().Before(end) && !p.over(); {
			time.Sleep(100 * time.Millisecond)
		}
		gather()
	}
	if code := p.wait(maxRun); code != 5 {
		t.Fatalf("exit code %d", code)
	}
	took := time.Since(begin)
	gather()
	allowed.add(took.Seconds(), float64(phases[len(phases)-1].rate))
	answered, refused := perSecond(log, begin)
	chart.Lines = []curve{allowed, answered, refused}
	if err := os.WriteFile("../docs/pace.svg", []byte(chart.svg()), 0o600); err != nil {
		t.Fatal(err)
	}
	throttled := 0
	for _, r := range log {
		if r.Status == 429 {
			throttled++
		}
	}
	ideal := 0
	for _, ph := range phases {
		ideal += ph.seconds
	}
	f.Pace = []figure{
		{"time of the run, by the limit alone " + fmt.Sprint(ideal, " s"), "1.10 of it if the limit stayed", fmt.Sprintf("%.2f of it", took.Seconds()/float64(ideal))},
		{"answers that were 429", "3 %", fmt.Sprintf("%.1f %%", 100*float64(throttled)/float64(len(log)))},
	}
}

// An emulated is a request as the emulator has it in its log.
type emulated struct {
	Time      time.Time
	Operation string
	Status    int
}

// perSecond counts the answers in each second since begin.
func perSecond(log []emulated, begin time.Time) (answered, refused curve) {
	answered, refused = curve{Name: "answered"}, curve{Name: "refused with 429", Colour: 1}
	var good, bad []float64
	for _, r := range log {
		if r.Operation != "credentials" {
			continue
		}
		for second := int(r.Time.Sub(begin).Seconds()); len(good) <= second; {
			good, bad = append(good, 0), append(bad, 0)
		}
		if second := max(int(r.Time.Sub(begin).Seconds()), 0); r.Status == 429 {
			bad[second]++
		} else {
			good[second]++
		}
	}
	for second := range good {
		answered.add(float64(second)+0.5, good[second])
		refused.add(float64(second)+0.5, bad[second])
	}
	return answered, refused
}

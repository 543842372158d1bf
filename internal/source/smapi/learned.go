package smapi

import "time"

// A learned pace is where the next run starts. What Amazon allows may have
// changed since, so it starts a little lower and goes on searching, and an old
// or a very slow one counts for nothing: that was the trouble of an hour.
const (
	learnedFor   = 7 * 24 * time.Hour
	learnedShare = 0.9
	learnedLeast = 1.0 // requests a second
)

// A LearnedPace is what a source found that Amazon allows it. The zero
// LearnedPace is none.
type LearnedPace struct {
	RequestsPerSecond float64   `json:"requests_per_second"`
	At                time.Time `json:"at"`
}

// useful reports whether p can still say something.
func (p LearnedPace) useful() bool {
	age := time.Since(p.At)
	return p.RequestsPerSecond >= learnedLeast && p.RequestsPerSecond <= maxRate && age >= 0 && age < learnedFor
}

// resume has the pace start where an earlier one was.
func (p *pace) resume(l LearnedPace) {
	if !l.useful() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &p.tempo
	t.known = l.RequestsPerSecond
	t.rate, t.phase, t.step = min(t.most, learnedShare*l.RequestsPerSecond), search, fineStep
}

// learned returns what there is to remember: a rate that a 429 taught, or one
// beyond what was known.
func (p *pace) learned() LearnedPace {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &p.tempo
	if t.knocks() && t.phase == start { // it only guessed, to be noticed
		return LearnedPace{}
	}
	if t.flight == 0 && (t.known == 0 || t.rate <= t.known) {
		return LearnedPace{}
	}
	return LearnedPace{t.rate, time.Now().UTC()}
}

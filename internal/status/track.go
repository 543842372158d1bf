package status

import "time"

const (
	sampleEvery = 10 * time.Second
	keptSamples = 180 // half an hour of requests
)

// A track is how the pace of a source went while requests went out.
type track struct {
	source    LiveSource
	throttled int      // of source, when the last sample was taken
	samples   []Sample // oldest first
}

// follow returns t, of a source that has been opened anew.
func (t track) follow(s LiveSource) track {
	return track{source: s, throttled: s.Throttled(), samples: t.samples}
}

func (t track) sample(now time.Time) track {
	throttled := t.source.Throttled()
	t.samples = append(t.samples, Sample{At: now.UTC().Round(time.Millisecond), Pace: t.source.Pace(), Throttled: throttled - t.throttled})
	t.samples = t.samples[max(len(t.samples)-keptSamples, 0):]
	t.throttled = throttled
	return t
}

// sample takes a sample of each source, unless there was one a moment ago. It is
// called with each request, so it takes the lock seldom.
func (b *Board) sample() {
	due, now := b.sampling.Load(), time.Since(b.started)
	if now < time.Duration(due) || !b.sampling.CompareAndSwap(due, int64(now+sampleEvery)) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sampleNow()
}

// sampleNow takes a sample of each source. The lock is held.
func (b *Board) sampleNow() {
	for name, t := range b.tracks {
		b.tracks[name] = t.sample(time.Now())
	}
}

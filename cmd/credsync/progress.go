package main

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/credsync/credsync/internal/syncer"
)

// A progress shows how far a pass is, how fast it goes and how long it will take,
// on a terminal. Other lines for that
// terminal go through its Write, which makes room for them.
type progress struct {
	w io.Writer

	mu  sync.Mutex
	bar *progressbar.ProgressBar // nil = none on the screen
}

// Write writes whole lines between two states of the bar.
func (p *progress) Write(lines []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	return p.w.Write(lines)
}

// barText is how much of a line the numbers around a bar take, with a name of
// usual length before them.
const barText = 56

func barTheme(l look) progressbar.Theme {
	if l.unicode {
		return progressbar.ThemeDefault
	}
	return progressbar.ThemeASCII
}

func (p *progress) Start(job string, results int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bar = progressbar.NewOptions(results,
		progressbar.OptionSetWriter(p.w),
		progressbar.OptionSetDescription(job),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("result"),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetTheme(barTheme(lookOf(p.w))),
		progressbar.OptionSetWidth(min(max(columns(p.w)-barText, 5), 24)),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
}

func (p *progress) Result(syncer.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.bar.Add(1)
}

// Finish takes the bar off the screen, so that the table has it for itself.
func (p *progress) Finish(syncer.Summary, map[string]int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar == nil {
		return nil
	}
	err := p.bar.Clear()
	p.bar = nil
	return err
}

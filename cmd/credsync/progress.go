package main

import (
	"io"

	"github.com/schollz/progressbar/v3"

	"github.com/credsync/credsync/internal/syncer"
)

// A progress shows how far a pass is, on a terminal.
type progress struct {
	w   io.Writer
	bar *progressbar.ProgressBar
}

func (p *progress) Start(job string, results int) {
	p.bar = progressbar.NewOptions(results,
		progressbar.OptionSetWriter(p.w),
		progressbar.OptionSetDescription(job),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetWidth(24),
		progressbar.OptionThrottle(100_000_000),
		progressbar.OptionClearOnFinish(),
	)
}

func (p *progress) Result(syncer.Result) { _ = p.bar.Add(1) }

// Finish takes the bar off the screen, so that the table has it for itself.
func (p *progress) Finish(syncer.Summary, map[string]int) error {
	if p.bar != nil {
		return p.bar.Clear()
	}
	return nil
}

package status

import (
	"fmt"
	"strings"

	"github.com/credsync/credsync/internal/syncer"
)

// The charts are drawn in these units; the style sheet says how large they are.
const (
	chartWidth  = 360.0
	chartHeight = 40.0
)

// A bar is a run in the chart of a job's history.
type bar struct {
	Result       Verdict
	X, Y, Height float64
	Mark         float64 // where the mark below it is
	Tip          string
}

// How wide a bar is, and the mark below it.
const (
	barWidth  = chartWidth/keptRuns - 2
	markWidth = 9
)

// Bars are the runs of j, the newest at the right. The taller, the longer it took.
func (v view) Bars(j Job) (bars []bar) {
	longest := longestOf(j.Runs)
	for i, r := range j.Runs[:min(len(j.Runs), keptRuns)] {
		b := bar{Result: r.Result, X: chartWidth - float64(i+1)*chartWidth/keptRuns + 1, Height: 3}
		if longest > 0 {
			b.Height += r.TookSeconds / longest * (chartHeight - 3)
		}
		b.Y, b.Mark = chartHeight-b.Height, b.X+barWidth/2-markWidth/2
		b.Tip = fmt.Sprintf("%s: %s, took %s", r.Started.Format("2 Jan 15:04:05"), r.Result, took(r.TookSeconds))
		bars = append(bars, b)
	}
	return bars
}

// longestOf is the longest time that a run took, in seconds.
func longestOf(runs []Run) (longest float64) {
	for _, r := range runs {
		longest = max(longest, r.TookSeconds)
	}
	return longest
}

// History says what the chart of j shows.
func (v view) History(j Job) string {
	counts := make(map[Verdict]int)
	for _, r := range j.Runs {
		counts[r.Result]++
	}
	parts := []string{}
	for _, verdict := range Verdicts {
		if counts[verdict] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[verdict], verdict))
		}
	}
	return fmt.Sprintf("The last %s: %s. The longest took %s.", countOf(len(j.Runs), "run", "runs"), strings.Join(parts, ", "), took(longestOf(j.Runs)))
}

// Percent is how much of p is done.
func (v view) Percent(p Progress) int {
	if p.Total == 0 {
		return 0
	}
	return 100 * p.Done / p.Total
}

// Changes is the number of names that r wrote; Left that of those it left as
// they should not be.
func (v view) Changes(r Run) int {
	return r.Outcomes[syncer.Created] + r.Outcomes[syncer.Updated] + r.Outcomes[syncer.Repaired]
}

func (v view) Left(r Run) (n int) {
	for o, count := range r.Outcomes {
		if bad(o) {
			n += count
		}
	}
	return n
}

// A curve is the pace of a source over time.
type curve struct {
	Line      string // a path; a gap is where no requests went out
	Area      string
	Throttled []float64 // where Amazon throttled
	Text      string
	Most      float64
}

// pause is how far apart samples are when no requests went out between them.
const pause = 3 * sampleEvery

// Curve is the pace of s while requests went out; nil = too little is known.
func (v view) Curve(s Source) *curve {
	if len(s.Paces) < 2 {
		return nil
	}
	c, least := &curve{}, s.Paces[0].Pace
	for _, p := range s.Paces {
		c.Most, least = max(c.Most, p.Pace), min(least, p.Pace)
	}
	var line, area strings.Builder
	var from float64
	times, step := 0, chartWidth/float64(len(s.Paces)-1)
	for i, p := range s.Paces {
		x, y := float64(i)*step, chartHeight-2
		if c.Most > 0 {
			y = chartHeight - 2 - p.Pace/c.Most*(chartHeight-6)
		}
		if i == 0 || p.At.Sub(s.Paces[i-1].At) > pause {
			closeArea(&area, from, x-step)
			fmt.Fprintf(&line, "M%.1f %.1f", x, y)
			fmt.Fprintf(&area, "M%.1f %.1fV%.1f", x, chartHeight, y)
			from = x
		} else {
			fmt.Fprintf(&line, "L%.1f %.1f", x, y)
			fmt.Fprintf(&area, "L%.1f %.1f", x, y)
		}
		if p.Throttled > 0 {
			times++
			c.Throttled = append(c.Throttled, x)
		}
	}
	closeArea(&area, from, chartWidth)
	c.Line, c.Area = line.String(), area.String()
	c.Text = fmt.Sprintf("The pace since %s: between %s and %s requests a second; throttled in %d of %d samples.",
		s.Paces[0].At.Format("15:04"), rate(least), rate(c.Most), times, len(s.Paces))
	return c
}

func closeArea(area *strings.Builder, from, to float64) {
	if area.Len() > 0 {
		fmt.Fprintf(area, "L%.1f %.1fH%.1fZ", max(to, from), chartHeight, from)
	}
}

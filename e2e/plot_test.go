package e2e

import (
	"fmt"
	"math"
	"strings"
)

// A plot is a chart of lines, drawn as SVG.
type plot struct {
	Title, X, Y string
	Log         bool // both axes by powers of ten
	Lines       []curve
}

// A curve is a row of points.
type curve struct {
	Name   string
	Colour int
	Step   bool // goes on at its height to the next point
	Dashed bool
	points [][2]float64
}

func (l *curve) add(x, y float64) { l.points = append(l.points, [2]float64{x, y}) }

const (
	plotWidth, plotHeight        = 760, 360
	plotLeft, plotRight          = 60, 170
	plotTop, plotBottom          = 40, 50
	plotInnerWidth, plotInnerTop = plotWidth - plotLeft - plotRight, plotTop
)

// colours can be told apart by those who see few of them.
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#555555"}

func (p plot) svg() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/><text x="%d" y="22" font-size="14">%s</text>`+"\n", plotWidth, plotHeight, plotLeft, p.Title)
	xs, ys := p.axis(0), p.axis(1)
	for _, x := range xs.ticks() {
		at := p.x(xs, x)
		fmt.Fprintf(&b, `<path d="M%.1f %d V%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			at, plotTop, plotHeight-plotBottom, at, plotHeight-plotBottom+16, short(x))
	}
	for _, y := range ys.ticks() {
		at := p.y(ys, y)
		fmt.Fprintf(&b, `<path d="M%d %.1f H%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			plotLeft, at, plotLeft+plotInnerWidth, plotLeft-6, at+4, short(y))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", plotLeft+plotInnerWidth/2, plotHeight-12, p.X)
	fmt.Fprintf(&b, `<text transform="translate(14 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", plotHeight/2, p.Y)
	for i, l := range p.Lines {
		colour, dash := colours[l.Colour], ""
		if l.Dashed {
			dash = ` stroke-dasharray="5 4"`
		}
		fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" stroke-width="1.8"%s points="`, colour, dash)
		for j, at := range l.points {
			if l.Step && j > 0 {
				fmt.Fprintf(&b, "%.1f,%.1f ", p.x(xs, at[0]), p.y(ys, l.points[j-1][1]))
			}
			fmt.Fprintf(&b, "%.1f,%.1f ", p.x(xs, at[0]), p.y(ys, at[1]))
		}
		fmt.Fprintf(&b, `"/><text x="%d" y="%d" fill="%s">%s</text>`+"\n", plotWidth-plotRight+10, plotTop+12+18*i, colour, l.Name)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// A scale maps values to 0 … 1.
type scale struct {
	from, to float64
	log      bool
}

func (p plot) axis(i int) scale {
	s := scale{math.Inf(1), 0, p.Log}
	for _, l := range p.Lines {
		for _, at := range l.points {
			s.from, s.to = min(s.from, at[i]), max(s.to, at[i])
		}
	}
	if !p.Log {
		s.from, s.to = 0, s.to*1.05
	} else {
		s.from, s.to = math.Pow(10, math.Floor(math.Log10(s.from))), math.Pow(10, math.Ceil(math.Log10(s.to)))
	}
	return s
}

func (s scale) at(v float64) float64 {
	if s.log {
		return (math.Log10(v) - math.Log10(s.from)) / (math.Log10(s.to) - math.Log10(s.from))
	}
	return (v - s.from) / (s.to - s.from)
}

// ticks returns round values, a handful of them.
func (s scale) ticks() (at []float64) {
	if s.log {
		for v := s.from; v <= s.to; v *= 10 {
			at = append(at, v)
		}
		return at
	}
	step := math.Pow(10, math.Floor(math.Log10(s.to)))
	for s.to/step < 4 {
		step /= 2
	}
	for v := 0.0; v <= s.to; v += step {
		at = append(at, v)
	}
	return at
}

func (p plot) x(s scale, v float64) float64 { return plotLeft + s.at(v)*plotInnerWidth }

func (p plot) y(s scale, v float64) float64 {
	return plotHeight - plotBottom - s.at(v)*(plotHeight-plotBottom-plotInnerTop)
}

func short(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%gk", v/1000)
	}
	return fmt.Sprintf("%g", v)
}

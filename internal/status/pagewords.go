package status

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/syncer"
)

// pageFuncs are the words of the templates.
var pageFuncs = template.FuncMap{
	"n": grouped, "count": countOf, "rate": rate, "took": took, "title": titleOf, "icon": iconOf,
	"split": splitSkill, "add": func(a, b int) int { return a + b },
	"outcomes": func() []syncer.Outcome { return syncer.Outcomes },
	"has":      func(all []syncer.Outcome, o syncer.Outcome) bool { return slices.Contains(all, o) },
	"words":    func(r syncer.Reason) string { return strings.ReplaceAll(string(r), "_", " ") },
	"list":     func(all []string) string { return strings.Join(all, ", ") },
	"dict":     dict,
}

// dict makes the argument of a template that takes several.
func dict(pairs ...any) map[string]any {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

// A moment is a time as the page says it.
type moment struct {
	Text string // "3 min ago"
	ISO  string // for programs
	Full string // for who wants to know exactly
}

func (v view) moment(t time.Time, text string) moment {
	return moment{Text: text, ISO: t.Format(time.RFC3339), Full: t.Format("Mon 2 Jan 2006, 15:04:05 UTC")}
}

// Ago tells of a time that has passed; Span only of how long that is; In of one
// to come.
func (v view) Ago(t time.Time) moment {
	if d := v.Now.Sub(t); d < 2*time.Second {
		return v.moment(t, "just now")
	}
	return v.moment(t, span(v.Now.Sub(t))+" ago")
}

func (v view) Span(t time.Time) moment { return v.moment(t, span(v.Now.Sub(t))) }

func (v view) In(t time.Time) moment {
	if d := t.Sub(v.Now); d < time.Second {
		return v.moment(t, "now")
	}
	return v.moment(t, "in "+span(t.Sub(v.Now)))
}

// Clock tells the time of day.
func (v view) Clock(t time.Time) moment { return v.moment(t, t.Format("15:04:05")) }

// Day tells day and time.
func (v view) Day(t time.Time) moment { return v.moment(t, t.Format("2 Jan 15:04:05")) }

// span is a length of time in its largest unit, of which there are two at least.
func span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%s days", grouped(int(d/(24*time.Hour))))
}

// took is how long a run took.
func took(seconds float64) string {
	switch d := time.Duration(seconds * float64(time.Second)); {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d/time.Millisecond)
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", seconds)
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	default:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
}

// rate is a number of requests a second.
func rate(r float64) string {
	if r >= 100 {
		return grouped(int(r + 0.5))
	}
	return strconv.FormatFloat(r, 'f', 1, 64)
}

// grouped writes n with its thousands apart.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// countOf is "1 skill" or "2 skills".
func countOf(n int, one, more string) string { return grouped(n) + " " + singular(n, one, more) }

func singular(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// titles say in plain words what a reason means.
var titles = map[syncer.Reason]string{
	syncer.NotFound:    "Amazon has no credentials for it",
	syncer.Denied:      "Not allowed",
	syncer.Invalid:     "Not usable as it is",
	syncer.Rejected:    "Amazon does not take its own pair",
	syncer.RateLimited: "Throttled until time was up",
	syncer.Unavailable: "Could not be reached",
	syncer.Timeout:     "Time was up",
	syncer.Conflict:    "Somebody else writes there",
	syncer.Foreign:     "Taken by somebody else",
	syncer.Brake:       "Held back by the brake",
	syncer.Canceled:    "Stopped before it was done",
	syncer.Internal:    "A fault of credsync",
}

func titleOf(r syncer.Reason) string {
	if t := titles[r]; t != "" {
		return t
	}
	return "Not as it should be"
}

// iconOf names the shape that stands beside an outcome, a verdict or a state, so
// that nothing is told by colour alone.
func iconOf(what any) string { return "#i-" + cmp.Or(fmt.Sprint(what), "none") }

// skillPrefix is what Amazon begins every skill ID with.
const skillPrefix = "amzn1.ask.skill."

// splitSkill parts what all IDs have in common from what tells them apart.
func splitSkill(id string) (parts [2]string) {
	if rest, ok := strings.CutPrefix(id, skillPrefix); ok {
		return [2]string{skillPrefix, rest}
	}
	return [2]string{"", id}
}

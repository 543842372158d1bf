package status

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/credsync/credsync/internal/syncer"
)

const (
	usualLimit = 100
	maxLimit   = 1000
)

// A Filter chooses rows of the matrix. The zero Filter lets all through.
type Filter struct {
	Job     string
	Sink    string           // rows with a cell there
	Outcome []syncer.Outcome // rows with a cell of one of these; in Sink, where that is set
	Text    string           // part of a skill's ID, its label or a name, in any case
	Offset  int
	Limit   int // 0 = a hundred; at most a thousand
}

// The parameters of a query that stand for a Filter.
const (
	paramJob     = "job"
	paramSink    = "sink"
	paramOutcome = "outcome"
	paramText    = "q"
	paramOffset  = "offset"
	paramLimit   = "limit"
)

// ParseFilter reads a Filter from the parameters job, sink, outcome (which may
// be repeated), q, offset and limit. It tells all that is wrong with them at
// once. An empty parameter is none.
func ParseFilter(query url.Values) (Filter, error) {
	f := Filter{Job: query.Get(paramJob), Sink: query.Get(paramSink), Text: query.Get(paramText)}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch name {
		case paramJob, paramSink, paramText, paramOffset, paramLimit:
			if len(query[name]) > 1 {
				faults = append(faults, fmt.Errorf("%s is given more than once; give it once", name))
			}
		case paramOutcome:
		default:
			faults = append(faults, fmt.Errorf("no parameter is named %.40q; there are: job, sink, outcome, q, offset, limit", name))
		}
	}
	for _, text := range query[paramOutcome] {
		if o := syncer.Outcome(text); slices.Contains(syncer.Outcomes, o) {
			f.Outcome = append(f.Outcome, o)
		} else if text != "" {
			faults = append(faults, fmt.Errorf("no outcome is named %.40q; there are: %s", text, outcomeNames()))
		}
	}
	var err error
	if f.Offset, err = number(query, paramOffset, 1<<30); err != nil {
		faults = append(faults, err)
	}
	if f.Limit, err = number(query, paramLimit, maxLimit); err != nil {
		faults = append(faults, err)
	}
	return f, errors.Join(faults...)
}

func outcomeNames() string {
	names := make([]string, len(syncer.Outcomes))
	for i, o := range syncer.Outcomes {
		names[i] = string(o)
	}
	return strings.Join(names, ", ")
}

// number reads a parameter between 0 and most; 0 where there is none.
func number(query url.Values, name string, most int) (int, error) {
	text := query.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("%s is %.40q; give a number from 0 to %d", name, text, most)
	}
	return n, nil
}

// Query returns the parameters that [ParseFilter] makes f of.
func (f Filter) Query() url.Values {
	q := make(url.Values)
	set := func(name, value string) {
		if value != "" && value != "0" {
			q.Set(name, value)
		}
	}
	set(paramJob, f.Job)
	set(paramSink, f.Sink)
	for _, o := range f.Outcome {
		q.Add(paramOutcome, string(o))
	}
	if f.Text != "" {
		q.Set(paramText, f.Text)
	}
	set(paramOffset, strconv.Itoa(f.Offset))
	set(paramLimit, strconv.Itoa(f.Limit))
	return q
}

// limit returns how many rows f asks for.
func (f Filter) limit() int {
	if f.Limit <= 0 {
		return usualLimit
	}
	return min(f.Limit, maxLimit)
}

// wants reports whether a row with such cells, in these sinks, is let through as
// far as sink and outcome go.
func (f Filter) wants(sinks []string, cells []cell) bool {
	if f.Sink == "" && len(f.Outcome) == 0 {
		return true
	}
	for i := range cells {
		if (f.Sink == "" || sinks[i] == f.Sink) && (len(f.Outcome) == 0 || slices.Contains(f.Outcome, cells[i].outcome.word())) {
			return true
		}
	}
	return false
}

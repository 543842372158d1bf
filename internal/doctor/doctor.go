// Package doctor examines a peer step by step, so that what is wrong shows at
// its place: whether it is reached, whether it knows us, what we may do there.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Step is one thing to examine.
type Step struct {
	Name  string
	Needs []string // names of earlier steps that have to be well, else this one says nothing
	// Do examines. What works but should be better comes back as advice, a
	// sentence each. An error names the cause and the way out.
	Do func(ctx context.Context) (advice []string, err error)
}

// An Examiner is a source or a sink that can be examined. It writes nothing.
type Examiner interface {
	// Examination returns the steps, in order. They are taken once, one after
	// the other.
	Examination() []Step
}

// A Finding is what a step came to.
type Finding struct {
	Name   string
	Advice []string
	Err    error
	After  string // the step that failed, because of which this one was not tried; else empty
}

// Examine takes the steps, each for as long as limit at most, also where it does
// not heed its context: then it is left behind. A step that needs one that was
// not well is not tried; all others are, whatever failed before.
func Examine(ctx context.Context, steps []Step, limit time.Duration) []Finding {
	found := make([]Finding, 0, len(steps))
	unwell := make(map[string]string) // a step, and the first cause of it
	for _, s := range steps {
		f := Finding{Name: s.Name}
		for _, need := range s.Needs {
			if cause, ok := unwell[need]; ok && f.After == "" {
				f.After = cause
			}
		}
		if f.After == "" {
			f.Advice, f.Err = take(ctx, s, limit)
		}
		switch {
		case f.After != "":
			unwell[s.Name] = f.After
		case f.Err != nil:
			unwell[s.Name] = s.Name
		}
		found = append(found, f)
	}
	return found
}

// Whole takes the steps one after the other, as long as ctx lasts and they are
// well. It returns the advice so far, and why it went no further.
func Whole(ctx context.Context, steps []Step) (advice []string, err error) {
	for _, s := range steps {
		if err := ctx.Err(); err != nil {
			return advice, err
		}
		more, err := s.Do(ctx)
		advice = append(advice, more...)
		if err != nil {
			return advice, err
		}
	}
	return advice, nil
}

// grace is how long a step whose time is over has to say so itself.
const grace = time.Second

func take(ctx context.Context, s Step, limit time.Duration) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	type result struct {
		advice []string
		err    error
	}
	done := make(chan result, 1)
	go func() {
		advice, err := s.Do(ctx)
		done <- result{advice, err}
	}()
	over := time.NewTimer(limit + grace)
	defer over.Stop()
	select {
	case r := <-done:
		if errors.Is(r.err, context.DeadlineExceeded) {
			r.err = fmt.Errorf("no end within %s: %w", limit, r.err)
		}
		return r.advice, r.err
	case <-over.C:
		return nil, fmt.Errorf("no end within %s; something below hangs, such as a network file system", limit)
	}
}

// maxSkew is how far two clocks may be apart before it is worth a word: tokens,
// certificates and signatures are judged by time (AWS refuses a request that is
// 5 minutes off).
const maxSkew = 5 * time.Minute

// Skew says what there is to say about a peer's clock that shows this time now.
func Skew(peer string, clock time.Time) (advice []string) {
	if apart := time.Since(clock).Abs(); apart > maxSkew {
		advice = append(advice, fmt.Sprintf("the clocks of %s and of this host are %s apart; synchronise them", peer, apart.Round(time.Second)))
	}
	return advice
}

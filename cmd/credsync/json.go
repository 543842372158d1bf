package main

import (
	"bufio"
	"encoding/json"
	"time"

	"github.com/credsync/credsync/internal/syncer"
)

// A jsonReport writes each pass as one JSON object on one line. The results
// come first and as they arrive, so that a large run needs no memory for them.
type jsonReport struct {
	w     *bufio.Writer
	wrote bool  // a result of the pass under way
	err   error // the first failure to write; the rest is dropped
}

func (r *jsonReport) Start(string, int) {}

func (r *jsonReport) Result(res syncer.Result) {
	if r.wrote {
		r.text(",")
	} else {
		r.text(`{"results":[`)
	}
	r.wrote = true
	r.value(res)
}

// jsonSummary is what follows the results.
type jsonSummary struct {
	Run         string                 `json:"run"`
	Job         string                 `json:"job"`
	Shard       string                 `json:"shard,omitempty"`
	Plan        string                 `json:"plan"`
	Started     string                 `json:"started"`
	TookSeconds float64                `json:"took_seconds"`
	Skills      int                    `json:"skills"`
	Outcomes    map[syncer.Outcome]int `json:"outcomes"`
	Requests    map[string]int         `json:"requests"`
	Orphans     []syncer.Orphan        `json:"orphans"`
	Brake       string                 `json:"brake,omitempty"`
	Error       string                 `json:"error,omitempty"`
}

func (r *jsonReport) Finish(s syncer.Summary, requests map[string]int) error {
	if !r.wrote {
		r.text(`{"results":[`)
	}
	out := jsonSummary{
		Run: s.Run, Job: s.Job, Shard: s.Shard.String(), Plan: s.Plan, Started: s.Started.UTC().Format(time.RFC3339),
		TookSeconds: s.Took.Round(time.Millisecond).Seconds(), Skills: s.Skills, Outcomes: make(map[syncer.Outcome]int),
		Requests: requests, Orphans: s.Orphans, Brake: s.Brake,
	}
	for _, o := range syncer.Outcomes {
		out.Outcomes[o] = s.Counts[o]
	}
	if out.Orphans == nil {
		out.Orphans = []syncer.Orphan{}
	}
	if s.Err != nil {
		out.Error = s.Err.Error()
	}
	b, err := json.Marshal(out)
	if err != nil {
		return err
	}
	r.text("]," + string(b[1:]) + "\n")
	r.wrote = false
	if r.err == nil {
		r.err = r.w.Flush()
	}
	return r.err
}

func (r *jsonReport) value(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		r.err = err
		return
	}
	r.text(string(b))
}

func (r *jsonReport) text(s string) {
	if r.err == nil {
		_, r.err = r.w.WriteString(s)
	}
}

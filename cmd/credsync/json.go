package main

import (
	"bufio"
	"encoding/json"

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
	syncer.Digest
	Requests map[string]int `json:"requests"`
}

func (r *jsonReport) Finish(s syncer.Summary, requests map[string]int) error {
	if !r.wrote {
		r.text(`{"results":[`)
	}
	b, err := json.Marshal(jsonSummary{s.Digest(), requests})
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

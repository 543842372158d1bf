package status

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Options are what a [Handler] needs beside its Board.
type Options struct {
	// Hosts are the names by which others may call us, beside localhost and
	// every address; see [guard].
	Hosts []string
	// Page serves the paths that are not listed at [Handler], as [StatusPage]
	// does; nil = nobody.
	Page http.Handler
}

// Handler serves what b knows, to read alone: /healthz, /readyz, /metrics and
// /api/status. It is all that a client can reach.
func Handler(b *Board, o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { health(w, b.Stuck()) })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) { health(w, b.Problems()) })
	mux.Handle("/metrics", b.metrics.handler())
	mux.HandleFunc("/api/status", b.serveReport)
	if o.Page != nil {
		mux.Handle("/", o.Page)
	}
	return guard(o.Hosts, mux)
}

// health answers 200, or 503 with the problems.
func health(w http.ResponseWriter, problems []string) {
	if len(problems) == 0 {
		plain(w, http.StatusOK, "ok")
		return
	}
	plain(w, http.StatusServiceUnavailable, strings.Join(problems, "\n"))
}

func (b *Board) serveReport(w http.ResponseWriter, r *http.Request) {
	filter, err := ParseFilter(r.URL.Query())
	if err != nil {
		plain(w, http.StatusBadRequest, err.Error())
		return
	}
	body, err := json.Marshal(b.Report(filter))
	if err != nil { // nothing in a Report can't be told
		plain(w, http.StatusInternalServerError, "the report could not be written")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n')) // whoever asked has gone
}

func plain(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text + "\n")) //nolint:gosec // plain text, and no browser guesses otherwise: see guard
}

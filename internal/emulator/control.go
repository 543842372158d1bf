package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
)

// maxAdd bounds how many skills one request adds.
const maxAdd = 10_000

// An errorBody is what control answers to what it can't do.
type errorBody struct {
	Error string `json:"error"`
}

// A power does what a request asks, and returns the JSON to answer. An error is
// the caller's fault: 400, or 404 with errNoSuchSkill.
type power func(*http.Request) (any, error)

var errNoSuchSkill = errors.New("there is no such skill")

// newControl returns the HTTP face of a's powers. See the package.
func newControl(a *Amazon) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /emulator/{$}", help)
	for pattern, p := range map[string]power{
		"GET /emulator/client":         a.controlClient,
		"GET /emulator/skills":         a.controlSkills,
		"POST /emulator/skills":        a.controlAdd,
		"GET /emulator/skills/{id}":    a.controlSkill,
		"PUT /emulator/skills/{id}":    a.controlSet,
		"DELETE /emulator/skills/{id}": a.controlRemove,
		"POST /emulator/rotate":        a.controlRotate,
		"POST /emulator/tokens":        a.controlTokens,
		"POST /emulator/tokens/expire": a.controlExpire,
		"POST /emulator/tokens/revoke": a.controlRevoke,
		"GET /emulator/returns":        a.controlReturned,
		"POST /emulator/returns":       a.controlReturns,
		"POST /emulator/rate":          a.controlRate,
		"POST /emulator/errors":        a.controlErrors,
		"GET /emulator/faults":         a.controlFaults,
		"POST /emulator/faults":        a.controlInject,
		"DELETE /emulator/faults":      a.controlClear,
		"GET /emulator/requests":       a.controlRequests,
		"DELETE /emulator/requests":    a.controlReset,
	} {
		mux.Handle(pattern, p)
	}
	return loopbackOnly(http.NewCrossOriginProtection().Handler(mux))
}

// ServeHTTP answers with what p returns.
func (p power) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	v, err := p(r)
	switch {
	case errors.Is(err, errNoSuchSkill):
		writeJSON(w, http.StatusNotFound, errorBody{err.Error()})
	case err != nil:
		writeJSON(w, http.StatusBadRequest, errorBody{err.Error()})
	default:
		writeJSON(w, http.StatusOK, v)
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// loopbackOnly refuses requests that name another host. A web page whose name
// is made to point at 127.0.0.1 (DNS rebinding) is of the same origin for its
// browser, but still names itself in Host.
func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.Host) {
			writeJSON(w, http.StatusForbidden, errorBody{"ask by a loopback name: http://localhost or http://127.0.0.1"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopback reports whether hostport names this machine alone.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(trimBrackets(host))
	return err == nil && ip.Unmap().IsLoopback()
}

func trimBrackets(host string) string {
	if n := len(host); n > 1 && host[0] == '[' && host[n-1] == ']' {
		return host[1 : n-1]
	}
	return host
}

// number returns a whole number from the query, or otherwise where it has none.
func number(r *http.Request, key string, otherwise, most int) (int, error) {
	text := r.URL.Query().Get(key)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("%s=%q is no whole number from 0 to %d", key, text, most)
	}
	return n, nil
}

package status

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Headers of each answer. Nobody keeps it, frames it, takes it for something
// else, or learns from where a link was followed. A page may load what comes
// from here and nothing else; one that needs more says so itself.
var headers = map[string]string{
	"Cache-Control":                "no-store",
	"Content-Security-Policy":      "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
}

// guard lets through to next what only reads, and what calls us by a name of
// ours. There is no password, so a browser that may reach us must not read for a
// page of somebody else: such a page can make a name of its own point at us
// (DNS rebinding), but then the Host header has that name. An address there was
// typed by somebody, or stands in a configuration: no foreign page has it as its
// origin.
func guard(hosts []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			plain(w, http.StatusMethodNotAllowed, "there is nothing to change here: GET and HEAD only")
		case !ours(r.Host, hosts):
			plain(w, http.StatusMisdirectedRequest, "not a name of this server; if it is meant to be one, put it into http.allowed_hosts of the configuration")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// ours reports whether host, of a Host header, is an address, localhost, or one
// of hosts.
func ours(host string, hosts []string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(strings.TrimSuffix(h, "."), host) })
}

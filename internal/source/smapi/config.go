package smapi

import (
	"cmp"
	"fmt"
	"math"
	"net/url"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/wire"
)

const (
	defaultAPI         = "https://api.amazonalexa.com"
	defaultLWA         = "https://api.amazon.com/auth/o2/token"
	defaultAuthorize   = "https://www.amazon.com/ap/oa"
	defaultRate        = 5
	defaultMaxRate     = 50
	defaultConcurrency = 8

	minRate, maxRate = 0.01, 10_000 // requests a second that make sense in a configuration
	maxConcurrency   = 256
	maxClientID      = 100 // bytes (LWA: Authorization Code Grant)
)

// A Config describes one Amazon developer account: the security profile and
// the refresh token to ask with, and how fast to ask.
type Config struct {
	// ClientID is the client ID of your own LWA security profile. That of
	// Amazon's command line tool is not for others.
	ClientID string `yaml:"client_id"`
	// ClientSecret is where the client secret of that security profile is kept.
	// It is read anew whenever a token is asked for.
	ClientSecret credential.Ref `yaml:"client_secret"`
	// RefreshToken is where the LWA refresh token is kept, made with that
	// security profile by a user of the developer account. It is read anew
	// whenever a token is asked for.
	RefreshToken credential.Ref `yaml:"refresh_token"`
	// APIURL is the address of the Skill Management API. Default
	// https://api.amazonalexa.com.
	APIURL string `yaml:"api_url,omitempty"`
	// TokenURL is the address where LWA issues tokens. Default
	// https://api.amazon.com/auth/o2/token.
	TokenURL string `yaml:"token_url,omitempty"`
	// AuthorizeURL is the address of the page where LWA asks a person for
	// consent; only `credsync login` opens it. Default
	// https://www.amazon.com/ap/oa.
	AuthorizeURL string `yaml:"authorize_url,omitempty"`
	// RequestsPerSecond is where the pace starts when no earlier run has learned
	// one. It adapts to what Amazon allows. Default 5.
	RequestsPerSecond float64 `yaml:"requests_per_second,omitempty"`
	// MaxRequestsPerSecond is what the pace never exceeds. Default 50.
	MaxRequestsPerSecond float64 `yaml:"max_requests_per_second,omitempty"`
	// Concurrency is how many skills are asked for at once. Default 8.
	Concurrency int `yaml:"concurrency,omitempty"`
	// Verify says whether a new pair is proven with LWA before it is published.
	// Default true.
	Verify *bool `yaml:"verify,omitempty"`
	// TLS says how Amazon's certificates are verified, for a network that puts
	// its own in their place.
	TLS wire.TLS `yaml:"tls,omitempty"`
	// Proxy is an HTTP proxy on the way to Amazon.
	Proxy wire.Proxy `yaml:"proxy,omitempty"`
}

// Workers returns how many skills are to be asked for at once.
func (c Config) Workers() int { return cmp.Or(c.Concurrency, defaultConcurrency) }

// Verifies reports whether a new pair is to be proven with [Source.Verify].
func (c Config) Verifies() bool { return c.Verify == nil || *c.Verify }

func (c Config) apiURL() string   { return cmp.Or(c.APIURL, defaultAPI) }
func (c Config) tokenURL() string { return cmp.Or(c.TokenURL, defaultLWA) }
func (c Config) authorizeURL() string {
	return cmp.Or(c.AuthorizeURL, defaultAuthorize)
}

func (c Config) startRate() float64 {
	return min(cmp.Or(c.RequestsPerSecond, defaultRate), c.maxRate())
}
func (c Config) maxRate() float64 { return cmp.Or(c.MaxRequestsPerSecond, defaultMaxRate) }

// Faults returns what is wrong with c. It reads no file and asks nobody.
func (c Config) Faults() fault.List {
	var l fault.List
	switch {
	case c.ClientID == "":
		l.Add("client_id", "missing", "set it to the client ID of your LWA security profile")
	case len(c.ClientID) > maxClientID || !printable(c.ClientID):
		l.Add("client_id", fmt.Sprintf("not the shape of a client ID: 1 to %d letters, digits and signs without spaces", maxClientID), "copy it from your LWA security profile")
	}
	if c.ClientSecret.IsZero() {
		l.Add("client_secret", "missing", "name the file, env or credential that holds it")
	}
	if c.RefreshToken.IsZero() {
		l.Add("refresh_token", "missing", "name the file, env or credential that holds it")
	}
	l.Within("api_url", urlFaults(c.apiURL()))
	l.Within("token_url", urlFaults(c.tokenURL()))
	l.Within("authorize_url", urlFaults(c.authorizeURL()))
	l.Within("requests_per_second", rateFaults(c.RequestsPerSecond))
	l.Within("max_requests_per_second", rateFaults(c.MaxRequestsPerSecond))
	if c.RequestsPerSecond > c.maxRate() {
		l.Add("requests_per_second", fmt.Sprintf("%g is more than max_requests_per_second, which is %g", c.RequestsPerSecond, c.maxRate()), "raise the one or lower the other")
	}
	if c.Concurrency < 0 || c.Concurrency > maxConcurrency {
		l.Add("concurrency", fmt.Sprintf("%d is not between 1 and %d", c.Concurrency, maxConcurrency), "set it to a few; 8 is the default")
	}
	l.Within("", c.wire().Faults())
	c.serverNameFaults(&l)
	return l
}

// serverNameFaults is about two addresses that one certificate has to serve.
func (c Config) serverNameFaults(l *fault.List) {
	api, err := url.Parse(c.apiURL())
	token, tokenErr := url.Parse(c.tokenURL())
	if c.TLS.ServerName != "" && err == nil && tokenErr == nil && api.Hostname() != token.Hostname() {
		l.Add("tls.server_name", "one name for two hosts, that of api_url and that of token_url", "remove it, or let both addresses have one host")
	}
}

func (c Config) wire() wire.Settings { return wire.Settings{TLS: c.TLS, Proxy: c.Proxy} }

func rateFaults(r float64) (l fault.List) {
	if r != 0 && (math.IsNaN(r) || r < minRate || r > maxRate) {
		l.Add("", fmt.Sprintf("%g is not between %g and %d", r, minRate, maxRate), "set it to requests a second")
	}
	return l
}

// urlFaults never repeats the URL: a user could have written a password in it.
func urlFaults(raw string) (l fault.List) {
	u, ok := wire.ParseURL(raw)
	switch {
	case !ok:
		l.Add("", "not an absolute URL", "write it as https://host/path")
	case u.User != nil:
		l.Add("", "holds a user name or password", "remove it")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		l.Add("", "holds a query or a fragment", "remove what stands after the path")
	case u.Scheme == "http" && !wire.Loopback(u.Hostname()):
		l.Add("", "plain http to another host would show the token to everybody on the way", "use https; http works for localhost alone")
	case u.Scheme != "http" && u.Scheme != "https":
		l.Add("", fmt.Sprintf("%q is not a scheme that works here", u.Scheme), "use https")
	}
	return l
}

// printable reports whether s is ASCII that shows, without spaces.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"golang.org/x/net/http/httpproxy"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
)

// A Proxy is an HTTP proxy between us and a peer. It is not used for this host,
// nor for what the environment variable NO_PROXY names. The zero Proxy is the one
// that HTTPS_PROXY names (HTTP_PROXY for an http:// address), or none.
type Proxy struct {
	// URL is where the proxy listens, as http://proxy.example.com:3128.
	URL string `yaml:"url"`
	// Username is what the proxy knows credsync by, if it wants to know.
	Username string `yaml:"username,omitempty"`
	// Password is where the password of that user is kept. It is read anew
	// whenever it is needed.
	Password credential.Ref `yaml:"password,omitempty"`
}

// faults never repeats the URL: a user could have written a password in it.
func (p Proxy) faults() fault.List {
	const hint = "write it as http://proxy.example.com:3128"
	var l fault.List
	if p == (Proxy{}) {
		return l
	}
	u, ok := ParseURL(p.URL)
	switch {
	case p.URL == "":
		l.Add("url", "missing", "set it to where the proxy listens, as http://proxy.example.com:3128")
	case !ok:
		l.Add("url", "not a URL with a host", hint)
	case u.Scheme != "http" && u.Scheme != "https":
		l.Add("url", fmt.Sprintf("%q is not a scheme that works here", u.Scheme), hint)
	case u.User != nil:
		l.Add("url", "holds a user name or password", "remove it, and set username, and password: {file: PATH}")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		l.Add("url", "holds more than scheme, host and port", hint)
	}
	switch named, secret := p.Username != "", !p.Password.IsZero(); {
	case named && !secret:
		l.Add("password", "missing", "name the file, env or credential that holds it, or remove username")
	case secret && !named:
		l.Add("username", "missing", "set it to the user whose password this is, or remove password")
	case strings.Contains(p.Username, ":"):
		l.Add("username", "holds a colon", "HTTP ends a user name there; ask for one without")
	}
	return l
}

// choose returns how a request finds its proxy.
func (p Proxy) choose() func(*http.Request) (*url.URL, error) {
	c := httpproxy.FromEnvironment()
	c.CGI = false // or HTTP_PROXY would be an error beside REQUEST_METHOD
	if p.URL != "" {
		c.HTTPProxy, c.HTTPSProxy = p.URL, p.URL
	}
	find := c.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) {
		u, err := find(r.URL)
		if err != nil || u == nil || p.Username == "" {
			return u, err
		}
		password, err := p.Password.Read()
		if err != nil {
			return nil, &ProxyError{Denied: true, problem: "proxy.password: " + err.Error()}
		}
		named := *u
		named.User = url.UserPassword(p.Username, password.Reveal())
		return &named, nil
	}
}

// A ProxyError is that a proxy stood in the way. Its text is our own and holds
// the way out.
type ProxyError struct {
	Denied  bool // another attempt can't help
	problem string
}

func (e *ProxyError) Error() string { return e.problem }

// connected judges the answer of a proxy that was asked for a connection.
func connected(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return proxyAnswered(answer.StatusCode)
}

// proxyAnswered is the error for a proxy that answers in place of the peer.
func proxyAnswered(status int) error {
	switch {
	case status == http.StatusProxyAuthRequired:
		return &ProxyError{Denied: true, problem: "the proxy wants a user name and a password that it knows (status 407); set proxy.url, proxy.username and proxy.password"}
	case status < 500:
		return &ProxyError{Denied: true, problem: fmt.Sprintf("the proxy does not let us through (status %d); let it allow this host, or name the host in NO_PROXY", status)}
	}
	return &ProxyError{problem: fmt.Sprintf("the proxy does not reach the host (status %d)", status)}
}

// proxied says in our own words that err came from the way to the proxy, if it
// did.
func proxied(err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "proxyconnect" {
		return err
	}
	e := &ProxyError{problem: "the connection to the proxy broke"}
	timeout, isNet := errors.AsType[net.Error](op.Err)
	certificate, _ := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknown := errors.AsType[*net.DNSError](err)
	switch {
	case certificate != nil:
		e.problem, e.Denied = "the certificate of the proxy is not trusted; set tls.ca_file", true
	case unknown:
		e.problem = "the host of the proxy is not known; is proxy.url (or HTTPS_PROXY) right?"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.problem = "nothing listens where the proxy should; is proxy.url (or HTTPS_PROXY) right?"
	case isNet && timeout.Timeout():
		e.problem = "the proxy gave no answer in time"
	}
	return e
}

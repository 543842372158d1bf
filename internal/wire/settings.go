package wire

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/credsync/credsync/internal/fault"
)

// Settings are what the configuration says about the way to a peer. The zero
// Settings trust the system's authorities and go where the environment says.
type Settings struct {
	TLS   TLS
	Proxy Proxy
}

// Faults returns what is wrong with s, below the keys tls and proxy, without
// looking at files.
func (s Settings) Faults() fault.List {
	var l fault.List
	l.Within("proxy", s.Proxy.faults())
	return l
}

// A TLS says how the certificate of a peer is verified. The zero TLS trusts the
// system's authorities.
type TLS struct {
	// CAFile holds the PEM certificates of the authorities to trust instead of
	// the system's.
	CAFile string `yaml:"ca_file,omitempty" resolve:"path"`
	// ServerName is the name that the peer's certificate has to bear. Default:
	// the host of its address.
	ServerName string `yaml:"server_name,omitempty"`
}

// FileFaults returns what is wrong with the file that t names.
func (t TLS) FileFaults() fault.List {
	var l fault.List
	if _, _, err := t.authorities(); err != nil {
		l.Add("ca_file", err.Error(), "name a file of certificates that begin with -----BEGIN CERTIFICATE-----")
	}
	return l
}

// authorities returns those in the file, and what it holds, or nil for the
// system's. Its errors name the file.
func (t TLS) authorities() (*x509.CertPool, []byte, error) {
	if t.CAFile == "" {
		return nil, nil, nil
	}
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", t.CAFile, fault.Cause(err))
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, nil, fmt.Errorf("%s: no PEM certificate in it", t.CAFile)
	}
	return pool, pem, nil
}

// keptOpen is how many connections to one host are kept for reuse: as many as a
// configuration allows callers at once. One less, and connections come and go.
const keptOpen = 256

// NewBase returns a transport with its own connections and the zero [Settings].
func NewBase() *http.Transport { return Settings{}.base(nil) }

// A Base is a transport that was made by settings.
type Base struct {
	*http.Transport
	tls         TLS
	authorities []byte // as the file of them held it
}

// Base returns what [NewBase] does, by these settings. It reads the file of
// authorities, and fails where that can't be done; it sends nothing.
func (s Settings) Base() (*Base, error) {
	roots, held, err := s.TLS.authorities()
	if err != nil {
		return nil, fmt.Errorf("tls.ca_file %w", err)
	}
	return &Base{s.base(roots), s.TLS, held}, nil
}

// Fresh reports whether the file of authorities still holds what was read: if
// not, the same settings make another Base.
func (b *Base) Fresh() bool {
	_, now, err := b.tls.authorities()
	return err == nil && bytes.Equal(now, b.authorities)
}

func (s Settings) base(roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		Proxy:                  s.Proxy.choose(),
		OnProxyConnectResponse: connected,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: s.TLS.ServerName},
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    keptOpen,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

package vaultkv

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/credsync/credsync/internal/fault"
)

// authorities returns what the file of authorities holds; nil where none is
// named. Its errors name the file.
func (t TLS) authorities() ([]byte, error) {
	if t.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, fmt.Errorf("tls.ca_file %s: %w", t.CAFile, fault.Cause(err))
	}
	return pem, nil
}

// client returns the settings of the connections to Vault, which trust the
// authorities in pem, or the system's where no file is named.
func (t TLS) client(pem []byte) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile == "" {
		return c, nil
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls.ca_file %s: no PEM certificate in it", t.CAFile)
	}
	return c, nil
}

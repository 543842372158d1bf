package vaultkv

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/credsync/credsync/internal/fault"
)

// client returns the settings of the connections to Vault. Its errors name the
// file of authorities.
func (t TLS) client() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, fmt.Errorf("tls.ca_file %s: %w", t.CAFile, fault.Cause(err))
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls.ca_file %s: no PEM certificate in it", t.CAFile)
	}
	return c, nil
}

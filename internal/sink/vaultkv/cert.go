package vaultkv

import (
	"cmp"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
)

// A Cert is a login by the auth method of that name. The pair is read anew at
// each login and for each connection.
type Cert struct {
	// Name is the one role to try. Default: Vault tries all of them.
	Name string `yaml:"name,omitempty"`
	// CertFile holds the certificate in PEM, with those between it and the
	// authority that Vault knows.
	CertFile string `yaml:"cert_file" resolve:"path"`
	// KeyFile holds the private key in PEM. Others must not be able to read it.
	KeyFile string `yaml:"key_file" resolve:"path"`
	// Mount is where the auth method is mounted. Default: cert.
	Mount string `yaml:"mount,omitempty"`
}

func (c Cert) mount() string { return trimmedOr(c.Mount, "cert") }

func (c Cert) faults() fault.List {
	var l fault.List
	if c.CertFile == "" {
		l.Add("cert_file", "missing", "set it to the file with the certificate in PEM")
	}
	if c.KeyFile == "" {
		l.Add("key_file", "missing", "set it to the file with the private key in PEM (chmod 600)")
	}
	mountFaults(&l, c.mount(), "cert")
	return l
}

// FileFaults returns what is wrong with the files of the pair.
func (c Cert) FileFaults() fault.List {
	var l fault.List
	if c.CertFile == "" || c.KeyFile == "" {
		return l
	}
	if _, err := c.certificate(); err != nil {
		l.Add("cert_file", err.Error(), "name the file with the certificate in PEM")
	}
	if _, err := c.key(); err != nil {
		problem, way, _ := strings.Cut(err.Error(), "; ")
		l.Add("key_file", problem, cmp.Or(way, "name the file with the private key in PEM, for this user alone to read (chmod 600)"))
	}
	if len(l) > 0 {
		return l
	}
	if _, _, err := c.read(); err != nil {
		l.Add("key_file", c.KeyFile+": "+errUnpaired.Error(), "name the two files of one pair")
	}
	return l
}

func (c Cert) login() (login, error) {
	_, pair, err := c.read()
	if err != nil {
		return login{}, err
	}
	body := map[string]string{}
	if c.Name != "" {
		body["name"] = c.Name
	}
	return login{path: at(c.mount()), body: encodeJSON(body), pair: pair}, nil
}

func (Cert) doubt() string {
	return "is the certificate in auth.cert.cert_file still good, does a role (auth.cert.name) trust its authority, and does TLS end at Vault itself?"
}

// present is what a connection shows of us. Its error is a failure, which ends
// the attempt.
func (c Cert) present(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	pair, _, err := c.read()
	if err != nil {
		return nil, &failure{operation: opLogin, problem: "the client certificate can't be read", class: err}
	}
	return pair, nil
}

// read returns the key pair as it stands now, for TLS and to compare.
func (c Cert) read() (*tls.Certificate, credential.Secret, error) {
	certificate, err := c.certificate()
	if err != nil {
		return nil, credential.Secret{}, unread("auth.cert.cert_file", err)
	}
	key, err := c.key()
	if err != nil {
		return nil, credential.Secret{}, unread("auth.cert.key_file", err)
	}
	pair, err := tls.X509KeyPair(certificate, []byte(key.Reveal()))
	if err != nil { // its text is not ours
		return nil, credential.Secret{}, unread("auth.cert.key_file", fmt.Errorf("%s: %w", c.KeyFile, errUnpaired))
	}
	return &pair, credential.NewSecret(string(certificate) + key.Reveal()), nil
}

var (
	errNoCertificate = errors.New("no PEM certificate in it")
	errUnpaired      = errors.New("not the private key, in PEM, of the certificate in cert_file")
)

func (c Cert) certificate() ([]byte, error) {
	b, err := os.ReadFile(c.CertFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.CertFile, fault.Cause(err))
	}
	if block, _ := pem.Decode(b); block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("%s: %w", c.CertFile, errNoCertificate)
	}
	return b, nil
}

func (c Cert) key() (credential.Secret, error) { return credential.Ref{File: c.KeyFile}.Read() }

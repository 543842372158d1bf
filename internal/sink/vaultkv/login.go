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

func (a AppRole) login() (login, error) {
	role, err := a.RoleID.Read()
	if err != nil {
		return login{}, unread("auth.approle.role_id", err)
	}
	id, err := a.SecretID.Read()
	if err != nil {
		return login{}, unread("auth.approle.secret_id", err)
	}
	return login{path: at(a.mount()), body: encodeJSON(map[string]string{"role_id": role.Reveal(), "secret_id": id.Reveal()})}, nil
}

func (AppRole) doubt() string {
	return "is the secret ID still good, and are auth.approle.role_id and mount right?"
}

// serviceAccount is where Kubernetes puts the token of a pod's service account.
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/token"

func (k Kubernetes) tokenFile() string { return cmp.Or(k.TokenFile, serviceAccount) }

func (k Kubernetes) login() (login, error) {
	token, err := credential.ReadIssued(k.tokenFile())
	if err != nil {
		return login{}, unread("auth.kubernetes.token_file", err)
	}
	return login{path: at(k.mount()), body: encodeJSON(map[string]string{"role": k.Role, "jwt": token.Reveal()})}, nil
}

func (Kubernetes) doubt() string {
	return "does auth.kubernetes.role bind this service account and its namespace, is the mount right, and may Vault ask the cluster for token reviews?"
}

// FileFaults returns what is wrong with the file of the service account's token.
func (k Kubernetes) FileFaults() fault.List {
	var l fault.List
	if k == (Kubernetes{}) {
		return l
	}
	if _, err := credential.ReadIssued(k.tokenFile()); err != nil {
		l.Add("token_file", err.Error(), "run in a pod whose service account has a token, or name another file")
	}
	return l
}

func (j JWT) login() (login, error) {
	token, err := j.Token.Read()
	if err != nil {
		return login{}, unread("auth.jwt.token", err)
	}
	return login{path: at(j.mount()), body: encodeJSON(map[string]string{"role": j.Role, "jwt": token.Reveal()})}, nil
}

func (JWT) doubt() string {
	return "is what auth.jwt.token points to still good, does auth.jwt.role take its claims, and is the mount right?"
}

func (u UserPass) login() (login, error) {
	password, err := u.Password.Read()
	if err != nil {
		return login{}, unread("auth.userpass.password", err)
	}
	return login{path: at(u.mount(), u.Username), body: encodeJSON(map[string]string{"password": password.Reveal()})}, nil
}

func (UserPass) doubt() string {
	return "are auth.userpass.username, password and mount right (after a few wrong tries Vault locks a user out for some minutes)?"
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

// present is what a connection shows of us. Its error is a failure, which ends
// the attempt.
func (c Cert) present(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	pair, _, err := c.read()
	if err != nil {
		return nil, &failure{operation: opLogin, problem: "the client certificate can't be read", class: err}
	}
	return pair, nil
}

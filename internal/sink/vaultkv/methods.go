package vaultkv

import (
	"fmt"
	"strings"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/sink"
)

// An Auth is one way to get a token. Exactly one member is set.
type Auth struct {
	// Token is where a Vault token is kept.
	Token credential.Ref `yaml:"token,omitempty"`
	// AppRole logs in with a role ID and a secret ID.
	AppRole AppRole `yaml:"approle,omitempty"`
	// Kubernetes logs in with the token of the pod's service account.
	Kubernetes Kubernetes `yaml:"kubernetes,omitempty"`
	// JWT logs in with a JSON web token that somebody whom Vault trusts has made.
	JWT JWT `yaml:"jwt,omitempty"`
	// Cert logs in with a TLS client certificate.
	Cert Cert `yaml:"cert,omitempty"`
	// UserPass logs in with a user name and a password.
	UserPass UserPass `yaml:"userpass,omitempty"`
}

// An AppRole is a login by the auth method of that name. Both IDs are read anew
// at each login.
type AppRole struct {
	// RoleID is where the role ID is kept.
	RoleID credential.Ref `yaml:"role_id"`
	// SecretID is where the secret ID is kept.
	SecretID credential.Ref `yaml:"secret_id"`
	// Mount is where the auth method is mounted. Default: approle.
	Mount string `yaml:"mount,omitempty"`
}

// A Kubernetes is a login by the auth method of that name.
type Kubernetes struct {
	// Role is the role that Vault binds the service account to.
	Role string `yaml:"role"`
	// TokenFile holds the token of the service account. It is read anew at each
	// login, because the kubelet replaces it. Default:
	// /var/run/secrets/kubernetes.io/serviceaccount/token.
	TokenFile string `yaml:"token_file,omitempty" resolve:"path"`
	// Mount is where the auth method is mounted. Default: kubernetes.
	Mount string `yaml:"mount,omitempty"`
}

// A JWT is a login by the auth method of that name.
type JWT struct {
	// Role is the role whose bounds the token has to meet.
	Role string `yaml:"role"`
	// Token is where the JSON web token is kept. It is read anew at each login.
	Token credential.Ref `yaml:"token"`
	// Mount is where the auth method is mounted. Default: jwt.
	Mount string `yaml:"mount,omitempty"`
}

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

// A UserPass is a login by the auth method of that name.
type UserPass struct {
	// Username is the name of the user.
	Username string `yaml:"username"`
	// Password is where the password is kept. It is read anew at each login.
	Password credential.Ref `yaml:"password"`
	// Mount is where the auth method is mounted. Default: userpass.
	Mount string `yaml:"mount,omitempty"`
}

// A method is one of Vault's auth methods.
type method interface {
	// faults says what is wrong with the settings, without looking at files.
	faults() fault.List
	// login reads what is kept elsewhere, as it stands now.
	login() (login, error)
	// doubt asks what may be wrong where Vault refuses the login.
	doubt() string
}

// A login is what an auth method has to be told, and where. The zero login is
// none.
type login struct {
	path string            // below /v1/
	body credential.Secret // JSON
	pair credential.Secret // what the connection shows besides
}

func (l login) equal(other login) bool {
	return l.path == other.path && l.body.Equal(other.body) && l.pair.Equal(other.pair)
}

// kinds are the keys of an Auth, the usual one first.
var kinds = []string{"token", "approle", "kubernetes", "jwt", "cert", "userpass"}

// given returns the members of a that are set, by their keys. A token is no
// method: nobody has to be asked for it.
func (a Auth) given() map[string]method {
	all := make(map[string]method)
	set := func(kind string, is bool, m method) {
		if is {
			all[kind] = m
		}
	}
	set("token", !a.Token.IsZero(), nil)
	set("approle", a.AppRole != (AppRole{}), a.AppRole)
	set("kubernetes", a.Kubernetes != (Kubernetes{}), a.Kubernetes)
	set("jwt", a.JWT != (JWT{}), a.JWT)
	set("cert", a.Cert != (Cert{}), a.Cert)
	set("userpass", a.UserPass != (UserPass{}), a.UserPass)
	return all
}

// method returns how a logs in, or nil where it has a token.
func (a Auth) method() method {
	for _, m := range a.given() {
		return m
	}
	return nil
}

func (a Auth) faults() fault.List {
	var l fault.List
	var set []string
	given := a.given()
	for _, kind := range kinds {
		if _, ok := given[kind]; ok {
			set = append(set, kind)
		}
	}
	switch {
	case len(set) == 0:
		l.Add("", "no way to log in", "set one of "+strings.Join(kinds, ", "))
	case len(set) > 1:
		l.Add("", "more than one way to log in: "+strings.Join(set, ", "), "keep one of them")
	case given[set[0]] != nil:
		l.Within(set[0], given[set[0]].faults())
	}
	return l
}

// needs adds a fault where a secret has no place.
func needs(l *fault.List, field, what string, r credential.Ref) {
	if r.IsZero() {
		l.Add(field, "missing", "set it to where the "+what+" is kept, as {file: PATH}")
	}
}

// mountFaults adds what is wrong with the mount of an auth method.
func mountFaults(l *fault.List, mount, usual string) {
	if p := badPath(mount); p != "" {
		l.Add("mount", p, "set it to the path that `vault auth list` shows, as "+usual)
	}
}

func roleFaults(l *fault.List, role string) {
	if role == "" {
		l.Add("role", "missing", "set it to the name of the role in Vault's auth method")
	}
}

func (a AppRole) faults() fault.List {
	var l fault.List
	needs(&l, "role_id", "role ID", a.RoleID)
	needs(&l, "secret_id", "secret ID", a.SecretID)
	mountFaults(&l, a.mount(), "approle")
	return l
}

func (k Kubernetes) faults() fault.List {
	var l fault.List
	roleFaults(&l, k.Role)
	mountFaults(&l, k.mount(), "kubernetes")
	return l
}

func (j JWT) faults() fault.List {
	var l fault.List
	roleFaults(&l, j.Role)
	needs(&l, "token", "JSON web token", j.Token)
	mountFaults(&l, j.mount(), "jwt")
	return l
}

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

func (u UserPass) faults() fault.List {
	var l fault.List
	switch {
	case u.Username == "":
		l.Add("username", "missing", "set it to the name of the user in Vault's auth method")
	case strings.Contains(u.Username, "/"):
		l.Add("username", "holds a slash", "set it to the plain name of the user")
	case badPath(u.Username) != "":
		l.Add("username", badPath(u.Username), "set it to the plain name of the user")
	}
	needs(&l, "password", "password", u.Password)
	mountFaults(&l, u.mount(), "userpass")
	return l
}

func (a AppRole) mount() string    { return trimmedOr(a.Mount, "approle") }
func (k Kubernetes) mount() string { return trimmedOr(k.Mount, "kubernetes") }
func (j JWT) mount() string        { return trimmedOr(j.Mount, "jwt") }
func (c Cert) mount() string       { return trimmedOr(c.Mount, "cert") }
func (u UserPass) mount() string   { return trimmedOr(u.Mount, "userpass") }

// at returns the path of a login, and of a user's below it.
func at(mount string, user ...string) string {
	return strings.Join(append([]string{"auth", mount, "login"}, user...), "/")
}

// unread is the error for a secret that can't be read. What [credential.Ref]
// says about it names the place and nothing of the content.
func unread(key string, err error) error {
	return fmt.Errorf("%s: %w: %w", key, sink.ErrDenied, err)
}

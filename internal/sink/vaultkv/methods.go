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

// at returns the path of a login, and of a user's below it.
func at(mount string, user ...string) string {
	return strings.Join(append([]string{"auth", mount, "login"}, user...), "/")
}

// unread is the error for a secret that can't be read. What [credential.Ref]
// says about it names the place and nothing of the content.
func unread(key string, err error) error {
	return fmt.Errorf("%s: %w: %w", key, sink.ErrDenied, err)
}

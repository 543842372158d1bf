package vaultkv

import (
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
)

// A JWT is a login by the auth method of that name.
type JWT struct {
	// Role is the role whose bounds the token has to meet.
	Role string `yaml:"role"`
	// Token is where the JSON web token is kept. It is read anew at each login.
	Token credential.Ref `yaml:"token"`
	// Mount is where the auth method is mounted. Default: jwt.
	Mount string `yaml:"mount,omitempty"`
}

func (j JWT) mount() string { return trimmedOr(j.Mount, "jwt") }

func (j JWT) faults() fault.List {
	var l fault.List
	roleFaults(&l, j.Role)
	needs(&l, "token", "JSON web token", j.Token)
	mountFaults(&l, j.mount(), "jwt")
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

package vaultkv

import (
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
)

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

func (a AppRole) mount() string { return trimmedOr(a.Mount, "approle") }

func (a AppRole) faults() fault.List {
	var l fault.List
	needs(&l, "role_id", "role ID", a.RoleID)
	needs(&l, "secret_id", "secret ID", a.SecretID)
	mountFaults(&l, a.mount(), "approle")
	return l
}

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

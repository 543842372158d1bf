package vaultkv

import (
	"strings"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
)

// A UserPass is a login by the auth method of that name.
type UserPass struct {
	// Username is the name of the user.
	Username string `yaml:"username"`
	// Password is where the password is kept. It is read anew at each login.
	Password credential.Ref `yaml:"password"`
	// Mount is where the auth method is mounted. Default: userpass.
	Mount string `yaml:"mount,omitempty"`
}

func (u UserPass) mount() string { return trimmedOr(u.Mount, "userpass") }

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

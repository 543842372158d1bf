package vaultkv

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/sink"
)

// kind is the sink's key in the configuration.
const kind = "vault_kv"

// A Config says which Vault, where in it, and as whom. Nothing else acts on the
// sink: the VAULT_* environment variables are not read.
type Config struct {
	// Address is the URL of Vault. In a cluster it is that of the active node or
	// of a load balancer that finds it, because redirects are not followed.
	// http:// is for a server or agent on this host.
	Address string `yaml:"address"`
	// Mount is where the KV secrets engine is mounted. Default: secret.
	Mount string `yaml:"mount,omitempty"`
	// Version is that of the KV secrets engine: 1 or 2. Default: 2. Version 1 has
	// no metadata and no check-and-set: values have to be read there, and of two
	// writers at the same moment the later one wins.
	Version int `yaml:"version,omitempty"`
	// Path is the name of each skill's secret below the mount, with the
	// placeholders {skill_id}, {skill_uuid}, {label} and {instance}.
	Path string `yaml:"path"`
	// Namespace is the Vault Enterprise or OpenBao namespace that the mount is in.
	Namespace string `yaml:"namespace,omitempty"`
	// Auth says who credsync is to Vault.
	Auth Auth `yaml:"auth"`
	// TLS says whom to trust.
	TLS TLS `yaml:"tls,omitempty"`
}

// An Auth is one way to get a token. Exactly one member is set.
type Auth struct {
	// Token is where a Vault token is kept.
	Token credential.Ref `yaml:"token,omitempty"`
	// AppRole logs in with a role ID and a secret ID.
	AppRole AppRole `yaml:"approle,omitempty"`
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

// A TLS says how Vault's certificate is verified. The zero TLS trusts the
// system's authorities.
type TLS struct {
	// CAFile holds the PEM certificates of the authorities to trust instead of
	// the system's.
	CAFile string `yaml:"ca_file,omitempty" resolve:"path"`
	// ServerName is the name that Vault's certificate has to bear. Default: the
	// host of the address.
	ServerName string `yaml:"server_name,omitempty"`
}

// NameTemplate returns the text of the template of names.
func (c Config) NameTemplate() string { return c.Path }

// Place tells apart two sinks that don't write to the same place.
func (c Config) Place() string {
	return strings.Join([]string{strings.TrimRight(c.Address, "/"), c.namespace(), c.mount(), c.Path}, " ")
}

// Form returns how the records of this sink are made.
func (c Config) Form() sink.Form {
	scope := c.mount()
	if c.namespace() != "" { // no path holds a NUL: where the one ends stays clear
		scope = c.namespace() + "\x00" + scope
	}
	return sink.Form{Kind: kind, Scope: scope, Encode: sink.JSON}
}

// Faults returns all that is wrong with c, without looking at files or the
// network.
func (c Config) Faults() fault.List {
	var l fault.List
	c.addressFaults(&l)
	c.pathFaults(&l)
	if c.Version != 0 && c.Version != 1 && c.Version != 2 {
		l.Add("version", fmt.Sprintf("%d is no version of the KV secrets engine", c.Version), "set it to 1 or 2")
	}
	l.Within("auth", c.Auth.faults())
	return l
}

func (c Config) addressFaults(l *fault.List) {
	const hint = "set it to the URL of Vault, as https://vault.example.com:8200"
	u, err := url.Parse(c.Address)
	switch {
	case c.Address == "":
		l.Add("address", "missing", hint)
	case err != nil || u.Host == "":
		l.Add("address", "not a URL with a host", hint)
	case u.Scheme != "https" && u.Scheme != "http":
		l.Add("address", fmt.Sprintf("%q is not a scheme that works here", u.Scheme), hint)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		l.Add("address", "holds more than scheme, host, port and path", hint)
	case u.Scheme == "http" && c.TLS != (TLS{}):
		l.Add("tls", "without effect on an http:// address", "set address to https:// or remove tls")
	}
}

func (c Config) pathFaults(l *fault.List) {
	if p := badPath(c.mount()); p != "" {
		l.Add("mount", p, "set it to the path that `vault secrets list` shows, as secret")
	}
	if ns := c.namespace(); ns != "" && badPath(ns) != "" {
		l.Add("namespace", badPath(ns), "set it to the namespace's path, as team/voice, or remove it")
	}
	const hint = "set it to a path below the mount, as alexa/{skill_id}"
	if c.Path == "" {
		l.Add("path", "missing", hint)
	} else if _, err := sink.ParseTemplate(c.Path); err != nil {
		l.Add("path", err.Error(), hint)
	} else if p := badPath(c.Path); p != "" {
		l.Add("path", p, hint)
	}
}

func (a Auth) faults() fault.List {
	var l fault.List
	token, role := !a.Token.IsZero(), a.AppRole != (AppRole{})
	switch {
	case token && role:
		l.Add("", "two ways to log in", "keep one of token and approle")
	case !token && !role:
		l.Add("", "no way to log in", "set token: {file: PATH} or approle: {role_id: {file: PATH}, secret_id: {file: PATH}}")
	case role:
		if a.AppRole.RoleID.IsZero() {
			l.Add("approle.role_id", "missing", "set it to where the role ID is kept, as {file: PATH}")
		}
		if a.AppRole.SecretID.IsZero() {
			l.Add("approle.secret_id", "missing", "set it to where the secret ID is kept, as {file: PATH}")
		}
		if p := badPath(a.AppRole.mount()); p != "" {
			l.Add("approle.mount", p, "set it to the path that `vault auth list` shows, as approle")
		}
	}
	return l
}

func (c Config) mount() string { return trimmedOr(c.Mount, "secret") }

func (c Config) namespace() string { return strings.Trim(c.Namespace, "/") }

func (c Config) version() int {
	if c.Version == 0 {
		return 2
	}
	return c.Version
}

func (a AppRole) mount() string { return trimmedOr(a.Mount, "approle") }

func trimmedOr(s, unset string) string {
	if s = strings.Trim(s, "/"); s == "" {
		return unset
	}
	return s
}

// badPath says what keeps p from being a path in Vault, or nothing. Vault
// refuses the same, but for what a URL would turn into another path.
func badPath(p string) string {
	for segment := range strings.SplitSeq(p, "/") {
		switch {
		case segment == "":
			return "begins or ends with a slash, or has two in a row"
		case strings.Trim(segment, ".") == "" || strings.Contains(segment, ".."):
			return fmt.Sprintf("holds %q", segment)
		case strings.TrimSpace(segment) != segment:
			return "holds a space beside a slash or at an end"
		}
	}
	if strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "holds a character that is not printable ASCII"
	}
	return ""
}

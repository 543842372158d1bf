package vaultkv

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
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
	// TLS says how Vault's certificate is verified.
	TLS wire.TLS `yaml:"tls,omitempty"`
	// Proxy is an HTTP proxy on the way to Vault.
	Proxy wire.Proxy `yaml:"proxy,omitempty"`
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
	l.Within("", c.wire().Faults())
	return l
}

func (c Config) wire() wire.Settings { return wire.Settings{TLS: c.TLS, Proxy: c.Proxy} }

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
	case u.Scheme == "http" && c.TLS != (wire.TLS{}):
		l.Add("tls", "without effect on an http:// address", "set address to https:// or remove tls")
	case u.Scheme == "http" && c.Auth.Cert != (Cert{}):
		l.Add("auth.cert", "a certificate shows in TLS alone, and address is http://", "set address to https://")
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

func (c Config) mount() string { return trimmedOr(c.Mount, "secret") }

func (c Config) namespace() string { return strings.Trim(c.Namespace, "/") }

func (c Config) version() int {
	if c.Version == 0 {
		return 2
	}
	return c.Version
}

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

package vaultkv

import (
	"cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
)

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

// serviceAccount is where Kubernetes puts the token of a pod's service account.
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/token"

func (k Kubernetes) tokenFile() string { return cmp.Or(k.TokenFile, serviceAccount) }

func (k Kubernetes) mount() string { return trimmedOr(k.Mount, "kubernetes") }

func (k Kubernetes) faults() fault.List {
	var l fault.List
	roleFaults(&l, k.Role)
	mountFaults(&l, k.mount(), "kubernetes")
	return l
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

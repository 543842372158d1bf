// Command vaultserver serves the real Vault core and HTTP API from memory, for
// tests: KV version 2 at secret/, the auth methods approle, cert, jwt,
// kubernetes, token and userpass, and the audit devices file and socket. It
// prints
//
//	READY addr=URL root=TOKEN unseal=KEY
//
// once it serves, over TLS where it is given a certificate: only so does it see
// that of a client. Vault's license (BUSL) is not ours: this is a module of its
// own, and no release contains it.
package main

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"
	jwtauth "github.com/hashicorp/vault-plugin-auth-jwt"
	k8sauth "github.com/hashicorp/vault-plugin-auth-kubernetes"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/audit"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/credential/cert"
	"github.com/hashicorp/vault/builtin/credential/userpass"
	"github.com/hashicorp/vault/command/server"
	"github.com/hashicorp/vault/helper/namespace"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8200", "address to serve at")
	root := flag.String("root-token", "root", "ID of the root token")
	level := flag.String("log", "warn", "least level to log")
	pair := flag.String("tls", "", "file with a certificate and its key, to serve TLS")
	flag.Parse()
	if err := run(*listen, *root, *level, *pair); err != nil {
		fmt.Fprintln(os.Stderr, "vaultserver:", err)
		os.Exit(1)
	}
}

func run(listen, root, level, pair string) error {
	ctx := namespace.RootContext(context.Background())
	core, err := newCore(listen, level)
	if err != nil {
		return err
	}
	init, err := core.Initialize(ctx, &vault.InitParams{
		BarrierConfig: &vault.SealConfig{SecretShares: 1, SecretThreshold: 1},
	})
	if err != nil {
		return err
	}
	unseal := init.SecretShares[0]
	if _, err := core.Unseal(unseal); err != nil {
		return err
	}
	if err := prepare(ctx, core, init.RootToken, root); err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	scheme := "http"
	if pair != "" {
		scheme = "https"
	}
	fmt.Printf("READY addr=%s://%s root=%s unseal=%s\n", scheme, l.Addr(), root, hex.EncodeToString(unseal))
	s := &http.Server{
		Handler: vaulthttp.Handler.Handler(&vault.HandlerProperties{
			Core: core, ListenerConfig: &configutil.Listener{},
		}),
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert},
	}
	if pair != "" {
		return s.ServeTLS(l, pair, pair)
	}
	return s.Serve(l)
}

func newCore(listen, level string) (*vault.Core, error) {
	log := hclog.New(&hclog.LoggerOptions{Name: "vault", Level: hclog.LevelFromString(level), Output: os.Stderr})
	storage, err := inmem.NewInmem(nil, log)
	if err != nil {
		return nil, err
	}
	return vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		StorageType:        "inmem",
		Logger:             log,
		DisableMlock:       true,
		RawConfig:          &server.Config{SharedConfig: &configutil.SharedConfig{}},
		LogicalBackends:    map[string]logical.Factory{"kv": kv.Factory},
		CredentialBackends: authMethods,
		AuditBackends:      map[string]audit.Factory{"file": audit.NewFileBackend, "socket": audit.NewSocketBackend},
		BuiltinRegistry:    registry{},
		RedirectAddr:       "http://" + listen,
		ClusterName:        "vaultserver",
	})
}

// prepare gives the core a root token of a known ID, and KV version 2 at secret/.
func prepare(ctx context.Context, core *vault.Core, token, root string) error {
	for _, r := range []*logical.Request{
		{Path: "auth/token/create-orphan", ClientToken: token, Data: map[string]any{"id": root, "policies": []string{"root"}, "no_parent": true}},
		{Path: "sys/mounts/secret", ClientToken: root, Data: map[string]any{"type": "kv", "options": map[string]any{"version": "2"}}},
	} {
		r.Operation = logical.UpdateOperation
		resp, err := core.HandleRequest(ctx, r)
		if err != nil {
			return err
		}
		if resp.IsError() {
			return resp.Error()
		}
	}
	return nil
}

var authMethods = map[string]logical.Factory{
	"approle":    approle.Factory,
	"cert":       cert.Factory,
	"jwt":        jwtauth.Factory,
	"kubernetes": k8sauth.Factory,
	"userpass":   userpass.Factory,
}

package vaultkv

import (
	"net/http"
	"strings"
)

// The names of the calls, in metrics and in errors.
const (
	opLogin         = "login"
	opTokenRenew    = "token.renew"
	opTokenLookup   = "token.lookup"
	opSealRead      = "seal.read"
	opMountRead     = "mount.read"
	opCapabilities  = "capabilities.read"
	opList          = "list"
	opMetadataRead  = "metadata.read"
	opMetadataClaim = "metadata.claim"
	opMetadataPatch = "metadata.patch"
	opDataWrite     = "data.write"
	opSecretRead    = "secret.read"
	opSecretWrite   = "secret.write"
	opOther         = "other"
)

// routes knows the paths of one KV mount.
type routes struct {
	mount   string
	version int
}

func (r routes) data(name string) string { return r.mount + "/data/" + name }

func (r routes) metadata(name string) string { return r.mount + "/metadata/" + name }

func (r routes) secret(name string) string { return r.mount + "/" + name }

// folder is the path whose listing tells what stands below dir, which is empty
// or ends with a slash.
func (r routes) folder(dir string) string {
	if r.version == 1 {
		return r.secret(dir)
	}
	return r.metadata(dir)
}

// operation names what a call asks.
func (r routes) operation(method, path string, list bool) string {
	below, inMount := strings.CutPrefix(path, r.mount+"/")
	switch {
	case strings.HasPrefix(path, "auth/token/renew"):
		return opTokenRenew
	case strings.HasPrefix(path, "auth/token/lookup"):
		return opTokenLookup
	case strings.HasPrefix(path, "auth/"):
		return opLogin
	case path == "sys/seal-status":
		return opSealRead
	case strings.HasPrefix(path, "sys/internal/ui/mounts/"):
		return opMountRead
	case path == "sys/capabilities-self":
		return opCapabilities
	case !inMount:
		return opOther
	case list:
		return opList
	case r.version == 1:
		return byMethod(method, opSecretRead, opSecretWrite)
	case strings.HasPrefix(below, "data/"):
		return opDataWrite
	case !strings.HasPrefix(below, "metadata/"):
		return opOther
	case method == http.MethodPatch:
		return opMetadataPatch
	}
	return byMethod(method, opMetadataRead, opMetadataClaim)
}

func byMethod(method, read, write string) string {
	if method == http.MethodGet {
		return read
	}
	return write
}

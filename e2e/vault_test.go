package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A vault is a Vault server with KV version 2 at secret/, seen as root.
type vault struct {
	*testing.T
	url, root, unseal string
	trail             string // Vault's own audit log
}

func startVault(t *testing.T, flags ...string) *vault {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, "vaultserver"), append(flags, "-listen", "127.0.0.1:0")...)
	cmd.Env = environment(t.TempDir())
	ready := strings.Fields(start(t, cmd).says(`READY (addr=.* root=.* unseal=.*)\n`))
	v := &vault{T: t, trail: filepath.Join(t.TempDir(), "vault-audit.jsonl")}
	v.url, v.root, v.unseal = ready[0][len("addr="):], ready[1][len("root="):], ready[2][len("unseal="):]
	v.must("PUT", "sys/audit/file", map[string]any{"type": "file", "options": map[string]string{"file_path": v.trail}}, nil)
	return v
}

// overTLS puts another Vault in the place of the one that is there, which sees
// the certificates of its clients.
func (w *world) overTLS() *vault {
	w.Helper()
	a := newAuthority(w.T)
	certificate, key := a.issue("127.0.0.1")
	v := startVault(w.T, "-tls", w.write("vault.pem", certificate+key))
	w.write("vault-ca.pem", a.pem())
	w.vaultSink()["address"], w.vaultSink()["tls"] = v.url, settings{"ca_file": "vault-ca.pem"}
	w.stores = []store{v}
	return v
}

func (v *vault) ask(method, path string, body any) ask {
	header := map[string]string{"X-Vault-Token": v.root}
	if method == "PATCH" {
		header["Content-Type"] = "application/merge-patch+json"
	}
	return ask{method: method, url: v.url + "/v1/" + path, header: header, body: body}
}

// must does what has to succeed, and decodes the answer into out.
func (v *vault) must(method, path string, body, out any) {
	v.Helper()
	v.ask(method, path, body).must(v.T, out)
}

// token makes a token with a policy, and with no other.
func (v *vault) token(policy string) string {
	v.Helper()
	v.grant(policy)
	return v.fresh(settings{"policies": []string{"credsync"}, "no_default_policy": true}).ClientToken
}

// grant makes policy that of the name credsync.
func (v *vault) grant(policy string) {
	v.Helper()
	v.must("PUT", "sys/policies/acl/credsync", settings{"policy": policy}, nil)
}

// A granted is a token as Vault gives it.
type granted struct {
	ClientToken string `json:"client_token"`
	Accessor    string
}

func (v *vault) fresh(token settings) granted {
	v.Helper()
	var answer struct{ Auth granted }
	v.must("POST", "auth/token/create", token, &answer)
	return answer.Auth
}

// A metadata is what KV version 2 knows of a secret beside its value.
type metadata struct {
	Current int               `json:"current_version"`
	Custom  map[string]string `json:"custom_metadata"`
}

func (v *vault) metadata(skill string) metadata {
	v.Helper()
	var answer struct{ Data metadata }
	v.ask("GET", "secret/metadata/"+secretName(skill), nil).may(v.T, &answer)
	return answer.Data
}

func (v *vault) sink() string { return "vault" }

func (v *vault) value(skill string) string {
	v.Helper()
	var answer struct {
		Data struct{ Data json.RawMessage }
	}
	v.ask("GET", "secret/data/"+secretName(skill), nil).may(v.T, &answer)
	return string(answer.Data.Data)
}

func (v *vault) versions(skill string) int { return v.metadata(skill).Current }

func (v *vault) alter(skill string) {
	v.Helper()
	v.must("POST", "secret/data/"+secretName(skill), map[string]any{"data": byHand}, nil)
}

func (v *vault) remove(skill string) {
	v.Helper()
	v.must("DELETE", "secret/data/"+secretName(skill), nil, nil)
}

func (v *vault) foreign(skill, owner string) {
	v.Helper()
	v.alter(skill)
	if owner != "" {
		v.must("PATCH", "secret/metadata/"+secretName(skill), map[string]any{
			"custom_metadata": map[string]string{"credsync_owner": owner, "credsync_skill": skill},
		}, nil)
	}
}

// A vaultRequest is one line of Vault's own audit log.
type vaultRequest struct {
	Type    string
	Request struct{ Operation, Path string }
}

// requests returns what Vault was asked since the log had length from, and its
// length now.
func (v *vault) requests(from int64) (list []vaultRequest, length int64) {
	v.Helper()
	f, err := os.Open(v.trail)
	if err != nil {
		v.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(from, 0); err != nil {
		v.Fatal(err)
	}
	length = from
	for r := bufio.NewReader(f); ; {
		line, err := r.ReadBytes('\n')
		if err != nil { // all is written: Vault answers after it has logged
			return list, length
		}
		length += int64(len(line))
		var request vaultRequest
		if err := json.Unmarshal(line, &request); err != nil {
			v.Fatal(err)
		}
		if request.Type == "request" {
			list = append(list, request)
		}
	}
}

// counts sums requests up by operation and area, as "read metadata".
func counts(list []vaultRequest) map[string]int {
	n := make(map[string]int)
	for _, r := range list {
		area := r.Request.Path
		if parts := strings.Split(area, "/"); parts[0] == "secret" {
			area = parts[1]
		}
		n[r.Request.Operation+" "+area]++
	}
	return n
}

package vaultkv

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/sinktest"
)

// A stand is a mount of a Vault, real or not, with a proxy before it, a token of
// least privilege, and a hand that reaches past the proxy as root.
type stand struct {
	*proxy
	t       *testing.T
	backend string
	root    string
	mount   string
	version int
	config  Config
}

// fakeStand returns a stand on a fake of its own.
func fakeStand(t *testing.T, version int) *stand {
	t.Helper()
	server := httptest.NewServer(newFake(version))
	t.Cleanup(server.Close)
	s := &stand{t: t, backend: server.URL, root: rootToken, mount: "secret", version: version}
	return s.behindProxy(plainToken)
}

// vaultStand returns a stand on a mount of its own in the Vault that the
// environment names, or skips.
func vaultStand(t *testing.T, version int) *stand {
	t.Helper()
	addr, root := os.Getenv("CREDSYNC_TEST_VAULT_ADDR"), os.Getenv("CREDSYNC_TEST_VAULT_TOKEN")
	if addr == "" || root == "" {
		t.Skip("NOT PROVEN against a real Vault: set CREDSYNC_TEST_VAULT_ADDR and CREDSYNC_TEST_VAULT_TOKEN (root) of a Vault for tests")
	}
	s := &stand{t: t, backend: addr, root: root, mount: "test-" + uuid.NewString(), version: version}
	s.must("POST", "sys/mounts/"+s.mount, map[string]any{"type": "kv", "options": map[string]string{"version": fmt.Sprint(version)}})
	t.Cleanup(func() { s.must("DELETE", "sys/mounts/"+s.mount, nil) })
	policy := Config{Mount: s.mount, Version: version, Path: "alexa/{skill_id}", Auth: Auth{Token: credential.Ref{File: "t"}}}.Policy("prod")
	return s.behindProxy(s.grant(policy.Text))
}

// grant makes a token with the policy, in which MOUNT stands for the mount.
func (s *stand) grant(policy string) string {
	s.t.Helper()
	name := "policy-" + uuid.NewString()
	s.must("PUT", "sys/policies/acl/"+name, map[string]string{"policy": strings.ReplaceAll(policy, "MOUNT", s.mount)})
	s.t.Cleanup(func() { s.must("DELETE", "sys/policies/acl/"+name, nil) })
	a := s.must("POST", "auth/token/create", map[string]any{"policies": []string{name}, "no_default_policy": true})
	return a["auth"].(map[string]any)["client_token"].(string)
}

func (s *stand) behindProxy(token string) *stand {
	s.t.Helper()
	s.proxy = newProxy(s.t, s.backend)
	s.config = Config{Address: s.URL, Mount: s.mount, Version: s.version, Path: "alexa/{skill_id}", Auth: Auth{Token: s.file(token)}}
	return s
}

// file keeps a secret where only a Ref finds it.
func (s *stand) file(secret string) credential.Ref {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return credential.Ref{File: path}
}

func (s *stand) open() *Sink {
	s.t.Helper()
	opened, err := Open(s.config, Options{Instance: "prod"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(opened.client.http.CloseIdleConnections)
	return opened
}

// hand does one thing as root, past the proxy.
func (s *stand) hand(method, path string, body any) (int, map[string]any) {
	s.t.Helper()
	payload, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, s.backend+"/v1/"+path, bytes.NewReader(payload))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("X-Vault-Token", s.root)
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var answer map[string]any
	_ = json.Unmarshal(raw, &answer)
	if s.proxy != nil && s.version == 1 && method == http.MethodPut && resp.StatusCode == http.StatusNoContent {
		s.note("/v1/"+path, string(payload))
	}
	return resp.StatusCode, answer
}

// must does what has to succeed, as root.
func (s *stand) must(method, path string, body any) map[string]any {
	s.t.Helper()
	status, answer := s.hand(method, path, body)
	if status >= 300 {
		s.t.Fatalf("%s %s by hand: status %d, %v", method, path, status, answer["errors"])
	}
	return answer
}

// harness hands s to the conformance suite.
func (s *stand) harness() sinktest.Harness {
	h := sinktest.Harness{
		Sink: s.open(), Form: s.config.Form(), Fail: s.fail, Requests: s.count,
		Stored: s.stored2, Tamper: s.tamper2, Foreign: s.foreign2, Claim: s.claim,
		SoftDelete: func(_ *testing.T, name string) { s.must("DELETE", s.mount+"/data/"+name, nil) },
		MaxBody:    1<<20 + len(`{"client_id":"amzn1.application-oa2-client.0123456789abcdef","client_secret":""}`),
	}
	h.LateMarks = s.version == 2
	if s.version == 1 {
		h.Stored, h.Tamper, h.Foreign, h.Claim, h.SoftDelete, h.MaxBody = s.stored1, s.tamper1, s.foreign1, nil, nil, 0
	}
	return h
}

func (s *stand) stored2(_ *testing.T, name string) sinktest.Stored {
	_, meta := s.hand("GET", s.mount+"/metadata/"+name, nil)
	_, secret := s.hand("GET", s.mount+"/data/"+name, nil)
	var stored sinktest.Stored
	if data, ok := meta["data"].(map[string]any); ok {
		stored.Versions = int(data["current_version"].(float64))
	}
	data, _ := secret["data"].(map[string]any)
	if values, ok := data["data"].(map[string]any); ok {
		stored.Exists, stored.Body = true, s.encode(values)
	}
	return stored
}

func (s *stand) stored1(_ *testing.T, name string) sinktest.Stored {
	_, secret := s.hand("GET", s.mount+"/"+name, nil)
	values, ok := secret["data"].(map[string]any)
	if !ok {
		return sinktest.Stored{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return sinktest.Stored{Exists: true, Body: s.encode(fields(values).values()), Versions: s.versions["/v1/"+s.mount+"/"+name]}
}

// encode writes values as the Form does.
func (s *stand) encode(values map[string]any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(values); err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (s *stand) write2(name string) {
	s.t.Helper()
	s.must("POST", s.mount+"/data/"+name, map[string]any{"data": map[string]string{"by": "hand " + uuid.NewString()}})
}

func (s *stand) tamper2(_ *testing.T, name string) { s.write2(name) }

func (s *stand) foreign2(_ *testing.T, name, owner string) {
	s.write2(name)
	if owner != "" {
		s.must("POST", s.mount+"/metadata/"+name, map[string]any{"custom_metadata": foreignMark(owner)})
	}
}

func foreignMark(owner string) map[string]string {
	return map[string]string{"credsync_owner": owner, "credsync_skill": "amzn1.ask.skill.00000000-0000-4000-8000-000000000001"}
}

func (s *stand) claim(_ *testing.T, name string, o sink.Owner) {
	s.must("POST", s.mount+"/metadata/"+name, map[string]any{"custom_metadata": claimMark(o)})
}

func (s *stand) tamper1(_ *testing.T, name string) {
	data := s.must("GET", s.mount+"/"+name, nil)["data"].(map[string]any)
	data["by"] = "hand " + uuid.NewString()
	s.must("PUT", s.mount+"/"+name, data)
}

func (s *stand) foreign1(_ *testing.T, name, owner string) {
	data := map[string]string{"by": "hand " + uuid.NewString()}
	if owner != "" {
		maps.Copy(data, foreignMark(owner))
	}
	s.must("PUT", s.mount+"/"+name, data)
}

package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	region    = "eu-west-1"
	awsKeyID  = "AKIAE2ETESTSCREDSYNC"
	awsSecret = "e2e-aws-secret-access-key-0123456789abcd"
)

// An aws is a moto server, seen as its owner, with a gate before it that credsync
// has to go through.
type aws struct {
	*testing.T
	server *process
	moto   string // URL, past the gate
	gate   *httptest.Server

	mu     sync.Mutex
	target *url.URL
	calls  map[string]int // through the gate, by operation
}

func startAWS(t *testing.T) *aws {
	t.Helper()
	a := &aws{T: t, calls: make(map[string]int)}
	a.up()
	proxy := &httputil.ReverseProxy{
		Transport: &http.Transport{DisableKeepAlives: true}, // moto ends a connection whenever it likes
		Rewrite: func(r *httputil.ProxyRequest) {
			a.mu.Lock()
			defer a.mu.Unlock()
			r.SetURL(a.target)
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	a.gate = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.calls[strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")]++
		a.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(a.gate.Close)
	return a
}

// up starts a moto, which holds nothing.
func (a *aws) up() {
	a.Helper()
	cmd := exec.CommandContext(a.Context(), program(a.T, "moto_server"), "-H", "127.0.0.1", "-p", "0")
	cmd.Env = environment(a.TempDir(), "PYTHONUNBUFFERED=1")
	a.server = start(a.T, cmd)
	a.moto = a.server.says(`Running on (http://[0-9.:]+)`)
	target, err := url.Parse(a.moto)
	if err != nil {
		a.Fatal(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.target = target
}

// took returns the calls since it was last called.
func (a *aws) took() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := maps.Clone(a.calls)
	clear(a.calls)
	return n
}

// call asks moto for an operation of Secrets Manager, past the gate. It doesn't
// check signatures but reads the region from one.
func (a *aws) call(operation string, in map[string]any, out any) int {
	a.Helper()
	return ask{method: "POST", url: a.moto, body: in, header: map[string]string{
		"Content-Type":  "application/x-amz-json-1.1",
		"X-Amz-Target":  "secretsmanager." + operation,
		"Authorization": "AWS4-HMAC-SHA256 Credential=" + awsKeyID + "/20260101/" + region + "/secretsmanager/aws4_request, SignedHeaders=host, Signature=none",
	}}.do(a.T, out)
}

func (a *aws) must(operation string, in map[string]any, out any) {
	a.Helper()
	var failure struct{ Message string }
	if status := a.call(operation, in, &failure); status != http.StatusOK {
		a.Fatalf("%s: %d %s", operation, status, failure.Message)
	}
	if out != nil {
		a.call(operation, in, out)
	}
}

// A described is what AWS knows of a secret beside its value.
type described struct {
	Tags   map[string]string
	Stages map[string][]string // by version
}

func (a *aws) describe(skill string) described {
	a.Helper()
	var answer struct {
		Tags               []struct{ Key, Value string }
		VersionIdsToStages map[string][]string
	}
	a.call("DescribeSecret", map[string]any{"SecretId": secretName(skill)}, &answer)
	d := described{Tags: make(map[string]string), Stages: answer.VersionIdsToStages}
	for _, tag := range answer.Tags {
		d.Tags[tag.Key] = tag.Value
	}
	return d
}

func (a *aws) sink() string { return "aws" }

// value asks by the label: after it has moved, moto answers with an old value
// where none is named.
func (a *aws) value(skill string) string {
	a.Helper()
	var answer struct{ SecretString string }
	a.call("GetSecretValue", map[string]any{"SecretId": secretName(skill), "VersionStage": "AWSCURRENT"}, &answer)
	return answer.SecretString
}

func (a *aws) versions(skill string) int {
	a.Helper()
	var answer struct{ Versions []struct{ VersionStages []string } }
	a.call("ListSecretVersionIds", map[string]any{"SecretId": secretName(skill), "IncludeDeprecated": true}, &answer)
	return len(answer.Versions)
}

// alter changes a value as somebody who knows credsync would: by a label, since a
// plain put leaves moto with two current versions.
func (a *aws) alter(skill string) {
	a.Helper()
	name := secretName(skill)
	before := a.describe(skill).Stages
	if len(before) == 0 {
		a.must("CreateSecret", map[string]any{"Name": name, "ClientRequestToken": uuid(0), "SecretString": encode(a.T, byHand)}, nil)
		return
	}
	id := uuid(len(before))
	a.must("PutSecretValue", map[string]any{
		"SecretId": name, "ClientRequestToken": id, "SecretString": encode(a.T, byHand), "VersionStages": []string{"HAND"},
	}, nil)
	a.must("UpdateSecretVersionStage", map[string]any{
		"SecretId": name, "VersionStage": "AWSCURRENT", "MoveToVersionId": id, "RemoveFromVersionId": current(before),
	}, nil)
}

func current(stages map[string][]string) string {
	for id, labels := range stages {
		if slices.Contains(labels, "AWSCURRENT") {
			return id
		}
	}
	return ""
}

func (a *aws) remove(skill string) {
	a.Helper()
	a.must("DeleteSecret", map[string]any{"SecretId": secretName(skill)}, nil)
}

func (a *aws) foreign(skill, owner string) {
	a.Helper()
	a.alter(skill)
	if owner != "" {
		a.must("TagResource", map[string]any{"SecretId": secretName(skill), "Tags": []map[string]string{
			{"Key": "credsync:owner", "Value": owner}, {"Key": "credsync:skill", "Value": skill},
		}}, nil)
	}
}

// wantCalls wants credsync to have made these calls since the last took.
func (a *aws) wantCalls(want map[string]int) {
	a.Helper()
	if diff := cmp.Diff(want, a.took()); diff != "" {
		a.Errorf("calls to AWS (-want +got):\n%s", diff)
	}
}

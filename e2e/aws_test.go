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
	calls  map[string]int    // through the gate, by operation
	before map[string]func() // what happens, once, before a call gets through
}

func startAWS(t *testing.T) *aws {
	t.Helper()
	a := &aws{T: t, calls: make(map[string]int), before: make(map[string]func())}
	a.up()
	proxy := &httputil.ReverseProxy{
		Transport: &http.Transport{DisableKeepAlives: true}, // moto ends a connection whenever it likes
		Rewrite: func(r *httputil.ProxyRequest) {
			a.mu.Lock()
			defer a.mu.Unlock()
			r.SetURL(a.target)
			r.Out.Host = r.In.Host // it is signed
		},
		ModifyResponse: asJSON,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	a.gate = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
		if strings.Contains(operation, "GetSecretValue") {
			t.Errorf("credsync called %s", operation)
		}
		a.mu.Lock()
		a.calls[operation]++
		meanwhile := a.before[operation]
		delete(a.before, operation)
		a.mu.Unlock()
		if meanwhile != nil {
			meanwhile()
		}
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

// ask makes a request for an operation of Secrets Manager, past the gate.
func (a *aws) ask(operation string, in settings) ask {
	return ask{method: "POST", url: a.moto, body: in, header: map[string]string{
		"Content-Type":  "application/x-amz-json-1.1",
		"X-Amz-Target":  "secretsmanager." + operation,
		"Authorization": unsigned("secretsmanager"),
	}}
}

// unsigned is what moto needs to see of a signature, which it doesn't check.
func unsigned(service string) string {
	return "AWS4-HMAC-SHA256 Credential=" + awsKeyID + "/20260101/" + region + "/" + service + "/aws4_request, SignedHeaders=host, Signature=none"
}

func (a *aws) must(operation string, in settings) {
	a.Helper()
	a.ask(operation, in).must(a.T, nil)
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
	a.ask("DescribeSecret", settings{"SecretId": secretName(skill)}).may(a.T, &answer)
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
	a.ask("GetSecretValue", settings{"SecretId": secretName(skill), "VersionStage": "AWSCURRENT"}).may(a.T, &answer)
	return answer.SecretString
}

func (a *aws) versions(skill string) int {
	a.Helper()
	var answer struct {
		Versions []struct{ VersionStages []string }
	}
	a.ask("ListSecretVersionIds", settings{"SecretId": secretName(skill), "IncludeDeprecated": true}).may(a.T, &answer)
	return len(answer.Versions)
}

// alter changes a value as somebody who knows credsync would: by a label, since a
// plain put leaves moto with two current versions.
func (a *aws) alter(skill string) {
	a.Helper()
	name := secretName(skill)
	before := a.describe(skill).Stages
	if len(before) == 0 {
		a.must("CreateSecret", settings{"Name": name, "ClientRequestToken": uuid(0), "SecretString": encode(a.T, byHand)})
		return
	}
	id := uuid(len(before))
	a.must("PutSecretValue", settings{
		"SecretId": name, "ClientRequestToken": id, "SecretString": encode(a.T, byHand), "VersionStages": []string{"HAND"},
	})
	a.must("UpdateSecretVersionStage", settings{
		"SecretId": name, "VersionStage": "AWSCURRENT", "MoveToVersionId": id, "RemoveFromVersionId": current(before),
	})
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
	a.must("DeleteSecret", settings{"SecretId": secretName(skill)})
}

func (a *aws) foreign(skill, owner string) {
	a.Helper()
	a.alter(skill)
	if owner != "" {
		a.must("TagResource", settings{"SecretId": secretName(skill), "Tags": []map[string]string{
			{"Key": "credsync:owner", "Value": owner}, {"Key": "credsync:skill", "Value": skill},
		}})
	}
}

package e2e

import (
	"net/http"
	"os/exec"
	"slices"
	"strings"
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
	*gate
	server *process
	moto   string // URL, past the gate
	users  int    // made so far
}

func startAWS(t *testing.T) *aws {
	t.Helper()
	a := &aws{T: t}
	a.up()
	a.proxy.Transport = &http.Transport{DisableKeepAlives: true} // moto ends a connection whenever it likes
	a.proxy.ModifyResponse = asJSON
	return a
}

// up starts a moto, which holds nothing.
func (a *aws) up() {
	a.Helper()
	cmd := exec.CommandContext(a.Context(), program(a.T, "moto_server"), "-H", "127.0.0.1", "-p", "0")
	cmd.Env = environment(a.TempDir(), "PYTHONUNBUFFERED=1")
	a.server = start(a.T, cmd)
	a.moto = a.server.says(`Running on (http://[0-9.:]+)`)
	if a.gate != nil {
		a.point(a.T, a.moto)
		return
	}
	a.gate = newGate(a.T, a.moto, func(r *http.Request) string {
		operation := awsCall(r)
		if strings.Contains(operation, "GetSecretValue") {
			a.Errorf("credsync called %s", operation)
		}
		return operation
	})
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

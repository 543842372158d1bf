package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// account is moto's own.
const account = "123456789012"

const roleARN = "arn:aws:iam::" + account + ":role/credsync"

// role makes the role that credsync assumes, who may do these things, and may be
// assumed by who knows the external ID.
func (a *aws) role(externalID string, actions ...string) {
	a.Helper()
	trust := settings{"Version": "2012-10-17", "Statement": []settings{{
		"Effect": "Allow", "Principal": settings{"AWS": "*"}, "Action": "sts:AssumeRole",
		"Condition": settings{"StringEquals": settings{"sts:ExternalId": externalID}},
	}}}
	least := iamPolicy{"2012-10-17", []iamStatement{{Sid: "Least", Effect: "Allow", Action: actions, Resource: "*"}}}
	a.iam(nil, "CreateRole", "RoleName", "credsync", "AssumeRolePolicyDocument", encode(a.T, trust))
	a.iam(nil, "PutRolePolicy", "RoleName", "credsync", "PolicyName", "least", "PolicyDocument", encode(a.T, least))
}

// A role is assumed with its external ID by who may assume it, and by nobody
// else: moto judges both, though not the condition in the policy of who asks.
func TestARoleIsAssumedWithItsExternalID(t *testing.T) {
	const id = "canary-external-id"
	w := newWorld(t, 3)
	v, a := w.withVault(), w.withAWS()
	p := w.abroad(v, a, "password")
	delete(w.sinks, "vault")
	w.stores = []store{a}
	w.awsSink()["role_arn"], w.awsSink()["external_id"] = roleARN, id
	a.role(id, w.iamPolicy("aws").actions()...)
	caller := w.iamPolicy("aws", "--assume")
	if len(caller.Statement) != 1 || caller.Statement[0].Resource != roleARN || caller.Statement[0].Condition["StringEquals"]["sts:ExternalId"] != id {
		t.Errorf("who assumes the role needs %+v", caller)
	}
	env := w.env
	as := func(actions ...string) {
		w.env = append(slices.Clip(env), a.user(actions...)...)
		p.took()
	}
	pass := func(code int, outcomes map[string]int) (r report) {
		t.Helper()
		a.enforced(func() { r = w.wantSync(code, outcomes) })
		return r
	}
	as(caller.actions()...)
	pass(0, map[string]int{"created": 3})
	_, signed := p.took()
	if len(signed[stsHost]) != 1 || !strings.HasPrefix(signed[stsHost][0], "AKIA") || !strings.HasPrefix(signed[secretsHost][0], "ASIA") {
		t.Errorf("requests were signed by %v", signed)
	}

	as("sts:GetSessionToken")
	w.wantReason(pass(1, map[string]int{"failed": 3}), "aws", "denied")
	as(caller.actions()...)
	w.awsSink()["external_id"] = "another-external-id"
	r := pass(1, map[string]int{"failed": 3})
	w.wantReason(r, "aws", "denied")
	if strings.Contains(r.stderr+r.stdout, "external-id") {
		t.Error("the external ID shows")
	}
	w.holds()
}

// Who credsync is may come from wherever the AWS SDK looks.
func TestTheIdentityInAWSIsTheOneThatIsGiven(t *testing.T) {
	w := newWorld(t, 2)
	v, a := w.withVault(), w.withAWS()
	p := w.abroad(v, a, "password")
	delete(w.sinks, "vault")
	w.stores = []store{a}
	nobody := []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="}
	shared := w.write("aws-config", "[profile robot]\naws_access_key_id = AKIAPROFILE000000001\naws_secret_access_key = canary-profile-key-0123456789\n"+
		"[profile assumed]\nrole_arn = "+roleARN+"\nsource_profile = robot\n")
	agent := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "canary-pod-token" {
			rw.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = fmt.Fprintf(rw, `{"AccessKeyId":"ASIAAGENT00000000001","SecretAccessKey":"canary-agent-key","Token":"canary-agent-session","Expiration":%q}`,
			time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	t.Cleanup(agent.Close)
	said := scan{secrets: map[string]string{}}
	for _, secret := range []string{"canary-profile-key-0123456789", "canary-agent-key", "canary-agent-session", "canary-pod-token", "canary.web.identity.token"} {
		said.secrets[secret] = secret
	}
	plain := w.env
	for name, tt := range map[string]struct {
		env     []string
		profile string
		signer  string // of the requests to Secrets Manager, as it begins
		asked   int    // of STS
	}{
		"keys of the environment":   {nil, "", awsKeyID, 0},
		"a profile, named here":     {[]string{"AWS_CONFIG_FILE=" + shared}, "robot", "AKIAPROFILE", 0},
		"a profile, named there":    {append(nobody, "AWS_CONFIG_FILE="+shared, "AWS_PROFILE=robot"), "", "AKIAPROFILE", 0},
		"a role of a profile":       {[]string{"AWS_CONFIG_FILE=" + shared}, "assumed", "ASIA", 1},
		"a web identity, as of EKS": {append(nobody, "AWS_ROLE_ARN="+roleARN, "AWS_WEB_IDENTITY_TOKEN_FILE="+w.write("web-token", "canary.web.identity.token")), "", "ASIA", 1},
		"an agent, as of EKS pods and ECS": {append(nobody, "AWS_CONTAINER_CREDENTIALS_FULL_URI="+agent.URL+"/v1/credentials",
			"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="+w.write("pod-token", "canary-pod-token")), "", "ASIAAGENT", 0},
	} {
		w.env = append(slices.Clip(plain), tt.env...)
		delete(w.awsSink(), "profile")
		if tt.profile != "" {
			w.awsSink()["profile"] = tt.profile
		}
		p.took()
		r := w.sync("--log-level", "debug")
		said.look(name, r.stdout+r.stderr)
		if r.code != 0 || r.Outcomes["created"]+r.Outcomes["unchanged"] != 2 {
			t.Errorf("%s: exit code %d, outcomes %v, %v", name, r.code, r.Outcomes, r.troubles())
			continue
		}
		asked, signed := p.took()
		for _, key := range signed[secretsHost] {
			if !strings.HasPrefix(key, tt.signer) {
				t.Errorf("%s: a request was signed by %s, want %s…", name, key, tt.signer)
			}
		}
		if len(signed[secretsHost]) == 0 || asked[stsHost] != tt.asked {
			t.Errorf("%s: STS was asked for %d connections, want %d", name, asked[stsHost], tt.asked)
		}
	}
	w.holds()
	said.wantNothing(t)
}

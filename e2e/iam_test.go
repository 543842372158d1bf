package e2e

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// An iamPolicy is what credsync prints for AWS.
type iamPolicy struct {
	Version   string
	Statement []iamStatement
}

type iamStatement struct {
	Sid, Effect string
	Action      []string
	Resource    any
	Condition   map[string]map[string]any `json:",omitempty"`
}

// iamPolicy returns what credsync says that a sink in AWS needs.
func (w *world) iamPolicy(sink string, flags ...string) (p iamPolicy) {
	w.Helper()
	decode(w.T, []byte(w.policy(sink, flags...)), &p)
	return p
}

// actions returns all that p allows, each once.
func (p iamPolicy) actions() (all []string) {
	for _, s := range p.Statement {
		all = append(all, s.Action...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// user makes an IAM user who may do these things, and returns the environment
// that holds the keys. moto looks at actions alone: it takes every call to be
// about the resource "*", and knows none of the conditions.
func (a *aws) user(actions ...string) []string {
	a.Helper()
	a.users++
	name := fmt.Sprintf("credsync-%d", a.users)
	policy := encode(a.T, iamPolicy{"2012-10-17", []iamStatement{{Sid: "Least", Effect: "Allow", Action: actions, Resource: "*"}}})
	a.iam(nil, "CreateUser", "UserName", name)
	a.iam(nil, "PutUserPolicy", "UserName", name, "PolicyName", "least", "PolicyDocument", policy)
	var key struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	a.iam(&key, "CreateAccessKey", "UserName", name)
	return []string{"AWS_ACCESS_KEY_ID=" + key.ID, "AWS_SECRET_ACCESS_KEY=" + key.Secret}
}

// iam asks for an action of IAM with parameters by name and value.
func (a *aws) iam(out any, action string, parameters ...string) {
	a.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	status, answer := ask{method: "POST", url: a.moto, body: []byte(form.Encode()), header: map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Authorization": unsigned("iam"),
	}}.do(a.T)
	if status != http.StatusOK {
		a.Fatalf("%s: %d %s", action, status, answer)
	}
	if out != nil {
		if err := xml.Unmarshal(answer, out); err != nil {
			a.Fatal(err)
		}
	}
}

// enforced runs f while moto checks signatures and IAM policies.
func (a *aws) enforced(f func()) {
	a.Helper()
	a.authorize("0")
	defer a.authorize("inf")
	f()
}

// authorize says after how many calls moto begins to check.
func (a *aws) authorize(after string) {
	a.Helper()
	ask{method: "POST", url: a.moto + "/moto-api/reset-auth", body: []byte(after)}.must(a.T, nil)
}

// asJSON turns an answer of moto's check of IAM, which is XML, into what AWS says
// in this protocol.
func asJSON(r *http.Response) error {
	if r.StatusCode != http.StatusForbidden {
		return nil
	}
	var failure struct {
		Code string `xml:"Errors>Error>Code"`
	}
	if err := xml.NewDecoder(r.Body).Decode(&failure); err != nil {
		return err
	}
	r.Header.Set("X-Amzn-Errortype", failure.Code)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("Content-Length", "0")
	r.Body, r.ContentLength = http.NoBody, 0
	return nil
}

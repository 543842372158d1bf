package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
)

// A judge stands in for the part of IAM that moto lacks: resources, conditions,
// and that CreateSecret with tags takes the right to tag. It judges each request
// at the gate by AWS's own rules on policies, as far as credsync's use them. That
// it is right about them is our reading of AWS's pages, which no server here
// confirms.
type judge struct {
	*aws
	mu     sync.Mutex
	policy iamPolicy
}

// judged puts a judge before a, who lets everything through until he has a policy.
func (a *aws) judged() *judge {
	j := &judge{aws: a, policy: iamPolicy{Statement: []iamStatement{{Action: []string{"*"}, Resource: "*"}}}}
	inner := a.Config.Handler
	a.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !j.allows(r, body) { //nolint:contextcheck // what it asks of moto is the test's own
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"AccessDeniedException"}`)
			return
		}
		inner.ServeHTTP(w, r)
	})
	return j
}

func (j *judge) goBy(p iamPolicy) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.policy = p
}

// A matter is what is judged: one action, on one resource, and what IAM knows
// about both.
type matter struct {
	action, resource string
	context          map[string][]string
}

func (j *judge) allows(r *http.Request, body []byte) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, m := range j.matters(r, body) {
		if !slices.ContainsFunc(j.policy.Statement, m.allowedBy) {
			return false
		}
	}
	return true
}

// matters returns what a request asks to be allowed.
func (j *judge) matters(r *http.Request, body []byte) []matter {
	var in struct {
		Name, SecretId string
		Tags           []struct{ Key, Value string }
	}
	_ = json.Unmarshal(body, &in)
	m := matter{action: "secretsmanager:" + awsCall(r), resource: "*", context: map[string][]string{"aws:RequestedRegion": {region}}}
	for _, tag := range in.Tags {
		m.context["aws:TagKeys"] = append(m.context["aws:TagKeys"], tag.Key)
		m.context["aws:RequestTag/"+tag.Key] = []string{tag.Value}
	}
	switch {
	case in.Name != "":
		m.resource = arnPrefix + in.Name // there is no secret that has more of a name
		tagging := m
		tagging.action = "secretsmanager:TagResource"
		return []matter{m, tagging}
	case in.SecretId != "":
		m.resource = j.about(in.SecretId, m.context)
	}
	return []matter{m}
}

// about returns the ARN of a secret, and adds its tags to context.
func (j *judge) about(id string, context map[string][]string) string {
	var answer struct {
		ARN  string
		Tags []struct{ Key, Value string }
	}
	j.ask("DescribeSecret", settings{"SecretId": id}).may(j.T, &answer)
	for _, tag := range answer.Tags {
		context["secretsmanager:ResourceTag/"+tag.Key] = []string{tag.Value}
	}
	switch {
	case answer.ARN != "":
		return answer.ARN
	case strings.HasPrefix(id, "arn:"):
		return id
	}
	return arnPrefix + id
}

// allowedBy reports whether s allows m. In IAM a * stands for slashes too.
func (m matter) allowedBy(s iamStatement) bool {
	matches := func(patterns any, value string) bool {
		return slices.ContainsFunc(texts(patterns), func(pattern string) bool {
			flat := strings.NewReplacer("/", ":", "[", "_", `\`, "_")
			ok, err := path.Match(flat.Replace(pattern), flat.Replace(value))
			return ok && err == nil
		})
	}
	if !matches(s.Action, m.action) || !matches(s.Resource, m.resource) {
		return false
	}
	for operator, keys := range s.Condition {
		for key, wanted := range keys {
			have, want := m.context[key], texts(wanted)
			isWanted := func(v string) bool { return slices.Contains(want, v) }
			ok := len(have) > 0 && slices.ContainsFunc(have, isWanted)
			if operator == "ForAllValues:StringEquals" {
				ok = !slices.ContainsFunc(have, func(v string) bool { return !isWanted(v) })
			}
			if !ok {
				return false
			}
		}
	}
	return true
}

// texts returns what is a string or a list of strings in JSON.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any:
		var all []string
		for _, element := range v {
			all = append(all, element.(string))
		}
		return all
	}
	return nil
}

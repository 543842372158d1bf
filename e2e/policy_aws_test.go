package e2e

import (
	"slices"
	"strings"
	"testing"
)

// moto judges actions alone, by signatures and IAM policies of its own. What it
// lacks, a judge of ours has.
func TestThePolicyForAWSIsEnoughAndNothingInItIsTooMuch(t *testing.T) {
	t.Run("actions, by moto", func(t *testing.T) {
		w := newWorld(t, 10)
		a := w.withAWS()
		env := w.env
		actions := w.iamPolicy("aws").actions()
		try := func(allowed []string) string {
			a.reset()
			w.env = append(slices.Clip(env), a.user(allowed...)...)
			return wrong(a.underIAM(w.awsDeeds(a)))
		}
		if problem := try(actions); problem != "" {
			t.Fatalf("%v are not enough: %s", actions, problem)
		}
		for _, action := range actions {
			problem := try(slices.DeleteFunc(slices.Clone(actions), func(other string) bool { return other == action }))
			if problem == "" {
				t.Errorf("nobody needs %s", action)
			}
			t.Logf("without %s: %s", action, tail(problem))
		}
	})
	t.Run("statements, by a judge", func(t *testing.T) {
		w := newWorld(t, 10)
		a := w.withAWS()
		j := a.judged()
		policy := w.iamPolicy("aws")
		try := func(p iamPolicy) string {
			a.reset()
			j.goBy(p)
			return wrong(w.awsDeeds(a))
		}
		if problem := try(policy); problem != "" {
			t.Fatalf("%+v is not enough: %s", policy, problem)
		}
		for what, less := range policy.without() {
			problem := try(less)
			if problem == "" {
				t.Errorf("nobody needs %s", what)
			}
			t.Logf("without %s: %s", what, tail(problem))
		}
		j.keepsOut(w, policy)
	})
}

// awsDeeds are the deeds with AWS, as somebody who never did them before.
func (w *world) awsDeeds(a *aws) []deed {
	w.job["max_changes"] = "100%"
	delete(w.more, "fingerprint_key")
	return w.deeds(a)
}

// underIAM returns the deeds with moto's checks on, but for those done by hand.
func (a *aws) underIAM(deeds []deed) []deed {
	for i, d := range deeds {
		if d.name != "" {
			deeds[i].do = func() (problem string) {
				a.enforced(func() { problem = d.do() })
				return problem
			}
		}
	}
	return deeds
}

// reset makes moto forget all.
func (a *aws) reset() {
	a.Helper()
	ask{method: "POST", url: a.moto + "/moto-api/reset"}.must(a.T, nil)
}

// without returns p but for one action of one statement, for each that is in it.
func (p iamPolicy) without() map[string]iamPolicy {
	all := make(map[string]iamPolicy)
	for i, s := range p.Statement {
		for _, action := range s.Action {
			less := iamPolicy{p.Version, slices.Clone(p.Statement)}
			less.Statement[i].Action = slices.DeleteFunc(slices.Clone(s.Action), func(other string) bool { return other == action })
			all[s.Sid+" "+action] = less
		}
	}
	return all
}

// keepsOut wants the policy to stop what credsync itself would not do: to write a
// secret that bears another's mark, to make one under another's mark, to tag with
// more than was configured, and to reach beyond its names.
func (j *judge) keepsOut(w *world, policy iamPolicy) {
	j.reset()
	j.goBy(policy)
	skill := w.amazon.skills()[0]
	j.foreign(skill, "somebody-else")
	name := secretName(skill)
	owner := func(instance string) []map[string]string {
		return []map[string]string{{"Key": "credsync:owner", "Value": instance}}
	}
	for operation, in := range map[string]settings{
		"PutSecretValue":           {"SecretId": name, "SecretString": "x", "ClientRequestToken": uuid(7)},
		"UpdateSecretVersionStage": {"SecretId": name, "VersionStage": "AWSCURRENT", "MoveToVersionId": uuid(0)},
		"RestoreSecret":            {"SecretId": name},
		"TagResource":              {"SecretId": name, "Tags": owner("somebody-else")},
		"TagResource ":             {"SecretId": name, "Tags": append(owner(instance), map[string]string{"Key": "admin", "Value": "yes"})},
		"CreateSecret":             {"Name": "alexa/new", "SecretString": "x", "Tags": owner("somebody-else")},
		"CreateSecret ":            {"Name": "alexa/new", "SecretString": "x"},
		"CreateSecret  ":           {"Name": "database/admin", "SecretString": "x", "Tags": owner(instance)},
		"DescribeSecret":           {"SecretId": "database/admin"},
	} {
		r := j.ask(strings.TrimSpace(operation), in)
		req := ask{method: r.method, url: j.URL, header: r.header, body: r.body}
		if status, answer := req.do(j.T); !strings.Contains(string(answer), "AccessDenied") {
			j.Errorf("%s of %v: status %d, %s", operation, in, status, answer)
		}
	}
}

package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// policy returns the policy that credsync prints for a sink.
func (w *world) policy(sink string, flags ...string) string {
	w.Helper()
	r := w.credsync(append([]string{"policy", sink}, flags...)...)
	if r.code != 0 || r.stderr != "" {
		w.Fatalf("policy %s: exit code %d\n%s", sink, r.code, r.stderr)
	}
	return r.stdout
}

// A deed is a part of what credsync is for, or, without a name, of what others do
// meanwhile. It returns what is wrong after it, or nothing.
type deed struct {
	name string
	do   func() string
}

// passes is a deed: a pass that ends so.
func (w *world) passes(name string, code int, outcomes map[string]int) deed {
	return deed{name, func() string {
		if r := w.sync(); r.code != code || !maps.Equal(r.Outcomes, outcomes) {
			return fmt.Sprintf("exit code %d, outcomes %v", r.code, r.Outcomes)
		}
		return ""
	}}
}

// deeds are all that credsync does with s, from the first run on.
func (w *world) deeds(s store) []deed {
	skills := w.amazon.skills()
	n := len(skills)
	hand := func(do func()) deed { return deed{"", func() string { do(); return "" }} }
	return []deed{
		hand(func() { s.foreign(skills[0], "") }),
		w.passes("create", 3, map[string]int{"created": n - 1, "refused": 1}),
		{"adopt", func() string {
			if r := w.credsync("adopt", "--sink", s.sink(), skills[0]); r.code != 0 {
				return r.stdout + r.stderr
			}
			return ""
		}},
		w.passes("take over", 0, map[string]int{"repaired": 1, "unchanged": n - 1}),
		hand(func() { w.amazon.rotate(2) }),
		w.passes("update", 0, map[string]int{"updated": 2, "unchanged": n - 2}),
		hand(func() { s.alter(skills[2]); s.remove(skills[3]) }),
		w.passes("repair", 0, map[string]int{"repaired": 2, "unchanged": n - 2}),
		hand(func() {
			w.write("fingerprint-key", fmt.Sprintf("a key of its own %d", time.Now().UnixNano()))
			w.more["fingerprint_key"] = file("fingerprint-key")
		}),
		{"another fingerprint key", func() string {
			if r := w.sync(); r.code != 0 {
				return fmt.Sprintf("exit code %d, outcomes %v", r.code, r.Outcomes)
			}
			return ""
		}},
		{"tell of an orphan", func() string {
			w.job["skills"] = settings{"ids": skills[1:]}
			defer func() { w.job["skills"] = file("skills.txt") }()
			if r := w.sync(); len(r.Orphans) != 1 {
				return fmt.Sprintf("%d orphans", len(r.Orphans))
			}
			return ""
		}},
		{"check --online", func() string { return w.checked("sink " + s.sink()) }},
	}
}

// checked returns what check --online has to say about a step, or nothing where
// all is well.
func (w *world) checked(what string) string {
	w.Helper()
	var said struct {
		Steps []struct {
			What, Error string
			OK          bool
			Advice      []string
		}
	}
	decode(w.T, []byte(w.credsync("check", "--online", "-o", "json").stdout), &said)
	for _, s := range said.Steps {
		if s.What == what && s.OK && len(s.Advice) == 0 {
			return ""
		}
		if s.What == what {
			return fmt.Sprint(s.Error, s.Advice)
		}
	}
	return "no such step"
}

// wrong does the deeds up to the first that goes wrong, and says which.
func wrong(deeds []deed) string {
	for _, d := range deeds {
		if problem := d.do(); problem != "" {
			return d.name + ": " + problem
		}
	}
	return ""
}

var hclRule = regexp.MustCompile(`(?m)^path "([^"]+)" +\{ capabilities = \[(.*)\] \}$`)

// without returns the policy but for one capability of one path, for each that is
// in it, by what is taken away.
func without(policy string) map[string]string {
	all := make(map[string]string)
	for _, rule := range hclRule.FindAllStringSubmatch(policy, -1) {
		capabilities := strings.Split(rule[2], ", ")
		for _, c := range capabilities {
			rest := slices.DeleteFunc(slices.Clone(capabilities), func(other string) bool { return other == c })
			line := ""
			if len(rest) > 0 {
				line = strings.Replace(rule[0], rule[2], strings.Join(rest, ", "), 1)
			}
			all[c+" on "+rule[1]] = strings.Replace(policy, rule[0], line, 1)
		}
	}
	return all
}

func TestThePolicyForVaultIsEnoughAndNothingInItIsTooMuch(t *testing.T) {
	for name, sink := range map[string]settings{
		"KV version 2": {},
		"KV version 1": {"mount": "old", "version": 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 10)
			v := w.withVault()
			w.job["max_changes"] = "100%"
			maps.Copy(w.vaultSink(), sink)
			var s store = v
			if sink["version"] == 1 {
				s = kv1{v}
			}
			try := func(policy string) string {
				v.remount()
				w.write("vault-token", v.token(policy))
				delete(w.more, "fingerprint_key")
				return wrong(append(w.deeds(s), w.keepsItsToken(v)))
			}
			policy := w.policy("vault")
			if problem := try(policy); problem != "" {
				t.Fatalf("the policy is not enough: %s\n%s", problem, policy)
			}
			less := without(policy)
			if len(less) < 7 {
				t.Fatalf("only %d capabilities were found in:\n%s", len(less), policy)
			}
			for _, what := range slices.Sorted(maps.Keys(less)) {
				problem := try(less[what])
				if problem == "" {
					t.Errorf("nobody needs %s", what)
				}
				t.Logf("without %s: %s", what, tail(problem))
			}
		})
	}
}

// remount puts new mounts where the tests have theirs.
func (v *vault) remount() {
	v.Helper()
	for path, version := range map[string]string{"secret": "2", "old": "1"} {
		v.must("DELETE", "sys/mounts/"+path, nil, nil)
		v.must("POST", "sys/mounts/"+path, settings{"type": "kv", "options": settings{"version": version}}, nil)
	}
	until(v.T, time.Minute, "the mount of version 2 is ready", func() bool {
		status, _ := v.ask("POST", "secret/config", settings{}).do(v.T)
		return status < http.StatusBadRequest
	})
}

// keepsItsToken is a deed: a daemon that has nothing to do keeps a token alive
// that would end within seconds.
func (w *world) keepsItsToken(v *vault) deed {
	return deed{"keep the token", func() string {
		token := v.fresh(settings{"policies": []string{"credsync"}, "no_default_policy": true, "period": "4s"})
		before := w.read("vault-token")
		w.write("vault-token", token.ClientToken)
		d := w.daemon()
		defer func() { d.kill(); w.write("vault-token", before) }()
		problem := "undecided"
		first := v.expires(token)
		until(w.T, time.Minute, "the token ends or is renewed", func() bool {
			switch at := v.expires(token); {
			case at.IsZero():
				problem = "it ended"
			case at.After(first.Add(time.Second)):
				problem = ""
			}
			return problem != "undecided"
		})
		return problem
	}}
}

// expires returns when a token ends, zero where it did.
func (v *vault) expires(token granted) time.Time {
	v.Helper()
	var answer struct {
		Data struct {
			ExpireTime time.Time `json:"expire_time"`
		}
	}
	v.ask("POST", "auth/token/lookup-accessor", settings{"accessor": token.Accessor}).may(v.T, &answer)
	return answer.Data.ExpireTime
}

package vaultkv

import (
	"fmt"
	"strings"

	"github.com/credsync/credsync/internal/sink"
)

// Policy returns the least that c needs of Vault to write for instance: it asks
// nobody. Where it has a choice it is narrow: `+` is one whole segment of a path,
// and `*`, which Vault takes at the end alone, stands where `+` would leave out
// the letters before a placeholder.
func (c Config) Policy(instance string) sink.Policy {
	var b strings.Builder
	fmt.Fprintf(&b, "# credsync, instance %s: %s below %s/\n", instance, c.Path, c.mount())
	if ns := c.namespace(); ns != "" {
		fmt.Fprintf(&b, "# For the namespace %[1]s: vault policy write -namespace=%[1]s …\n", ns)
	}
	segments := strings.Split(strings.ReplaceAll(c.Path, "{instance}", instance), "/")
	rules := c.rules(segments)
	width := 0
	for _, r := range rules {
		width = max(width, len(r.path))
	}
	for _, r := range rules {
		if r.why != "" {
			fmt.Fprintf(&b, "\n# %s\n", r.why)
		}
		fmt.Fprintf(&b, "path %-*s { capabilities = [\"%s\"] }\n", width+2, `"`+r.path+`"`, strings.Join(r.capabilities, `", "`))
	}
	return sink.Policy{For: "the token that credsync gets", Language: "hcl", Text: b.String()}
}

// A rule is one line of a policy.
type rule struct {
	path         string
	capabilities []string
	why          string // begins a group of rules; empty: as the one before
}

func (c Config) rules(segments []string) []rule {
	r := routes{mount: c.mount(), version: c.version()}
	name := glob(segments)
	rules := []rule{
		{r.data(name), []string{"update"}, "Write secrets, without reading them: each begins with its mark."},
		{r.metadata(name), []string{"create", "read", "patch"}, "Their marks. There is no update: it would replace those of others."},
	}
	if r.version == 1 {
		rules = []rule{{r.secret(name), []string{"create", "read", "update"}, "Write secrets, and read them: version 1 has no other place for a mark."}}
	}
	why := "List what is there, to tell of orphans."
	for i, s := range segments {
		if strings.Contains(s, "{") {
			rules = append(rules, rule{r.folder(folder(segments[:i])), []string{"list"}, why})
			why = ""
		}
	}
	rules = append(rules, rule{"auth/token/renew-self", []string{"update"}, "Keep the token alive, and let `credsync check --online` see its rights."})
	if !c.Auth.Token.IsZero() {
		rules = append(rules, rule{"auth/token/lookup-self", []string{"read"}, ""})
	}
	return append(rules, rule{"sys/capabilities-self", []string{"update"}, ""})
}

// glob returns the pattern for the paths that the segments of a template come to.
func glob(segments []string) string {
	last := segments[len(segments)-1]
	before, _, open := strings.Cut(last, "{")
	switch {
	case !open:
		return folder(segments[:len(segments)-1]) + last
	case before != "":
		return folder(segments[:len(segments)-1]) + before + "*"
	}
	return folder(segments[:len(segments)-1]) + "+"
}

// folder is glob for the path of a folder, which is empty or ends with a slash.
func folder(segments []string) string {
	var b strings.Builder
	for _, s := range segments {
		if strings.Contains(s, "{") {
			s = "+"
		}
		b.WriteString(s + "/")
	}
	return b.String()
}

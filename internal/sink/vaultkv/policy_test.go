package vaultkv

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

func TestPolicy(t *testing.T) {
	const ours = `
# Keep the token alive, and let ` + "`credsync check --online`" + ` see its rights.
`
	for _, tt := range []struct {
		config Config
		want   string
	}{
		{Config{Path: "alexa/{skill_id}", Auth: Auth{Token: credential.Ref{Env: "T"}}}, `# credsync, instance prod: alexa/{skill_id} below secret/

# Write secrets, without reading them: each begins with its mark.
path "secret/data/alexa/+"     { capabilities = ["update"] }

# Their marks. There is no update: it would replace those of others.
path "secret/metadata/alexa/+" { capabilities = ["create", "read", "patch"] }

# List what is there, to tell of orphans.
path "secret/metadata/alexa/"  { capabilities = ["list"] }
` + ours + `path "auth/token/renew-self"   { capabilities = ["update"] }
path "auth/token/lookup-self"  { capabilities = ["read"] }
path "sys/capabilities-self"   { capabilities = ["update"] }
`},
		{Config{Mount: "/team/kv/", Namespace: "voice/", Path: "{instance}/{label}/x-{skill_uuid}.json", Auth: Auth{Kubernetes: Kubernetes{Role: "r"}}}, `# credsync, instance prod: {instance}/{label}/x-{skill_uuid}.json below team/kv/
# For the namespace voice: vault policy write -namespace=voice …

# Write secrets, without reading them: each begins with its mark.
path "team/kv/data/prod/+/x-*"     { capabilities = ["update"] }

# Their marks. There is no update: it would replace those of others.
path "team/kv/metadata/prod/+/x-*" { capabilities = ["create", "read", "patch"] }

# List what is there, to tell of orphans.
path "team/kv/metadata/prod/"      { capabilities = ["list"] }
path "team/kv/metadata/prod/+/"    { capabilities = ["list"] }
` + ours + `path "auth/token/renew-self"       { capabilities = ["update"] }
path "sys/capabilities-self"       { capabilities = ["update"] }
`},
		{Config{Version: 1, Path: "{skill_id}/oauth", Auth: Auth{Token: credential.Ref{Env: "T"}}}, `# credsync, instance prod: {skill_id}/oauth below secret/

# Write secrets, and read them: version 1 has no other place for a mark.
path "secret/+/oauth"         { capabilities = ["create", "read", "update"] }

# List what is there, to tell of orphans.
path "secret/"                { capabilities = ["list"] }
` + ours + `path "auth/token/renew-self"  { capabilities = ["update"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
path "sys/capabilities-self"  { capabilities = ["update"] }
`},
	} {
		if diff := cmp.Diff(tt.want, tt.config.Policy("prod").Text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.config.Path, diff)
		}
	}
}

// Vault itself says what a policy grants: all that is needed for each name that
// the template renders, its listing, and nothing beside it.
func TestPolicyOnVault(t *testing.T) {
	beside := []string{"alexa", "alexb/x", "prod", "other/kitchen/x-1", "alexa/prod/a/b/c"}
	for template, strange := range map[string][]string{
		"{skill_id}":                              {"alexa/a", "a/b"},
		"alexa/{skill_id}":                        append(beside, "alexa/a/b"),
		"alexa/x-{skill_id}":                      append(beside, "alexa/y-1"),
		"{skill_id}/oauth/pair":                   append(beside, "a/oauth", "a/oauth/other", "a/b/oauth/pair"),
		"alexa/{instance}/{label}/x-{skill_uuid}": append(beside, "alexa/test/kitchen/x-1", "alexa/prod/kitchen/y-1"),
		"{label}/{skill_id}/{instance}":           append(beside, "a/b/test", "a/prod", "a/b/c/prod"),
	} {
		for _, version := range []int{1, 2} {
			t.Run(template, func(t *testing.T) {
				s := vaultStand(t, version)
				s.config.Path = template
				token := s.grant(s.config.Policy("prod").Text)
				r := routes{mount: s.mount, version: version}
				may := func(path string) []string {
					answer := s.must(http.MethodPost, "sys/capabilities", map[string]any{"token": token, "paths": []string{path}})
					var all []string
					for _, c := range answer["data"].(map[string]any)[path].([]any) {
						if c != "deny" {
							all = append(all, c.(string))
						}
					}
					slices.Sort(all)
					return all
				}
				want := func(path string, capabilities ...string) {
					t.Helper()
					if diff := cmp.Diff(capabilities, may(path)); diff != "" {
						t.Errorf("%s (-want +got):\n%s", path, diff)
					}
				}
				name := rendered(t, template)
				if version == 1 {
					want(r.secret(name), "create", "read", "update")
				} else {
					want(r.data(name), "update")
					want(r.metadata(name), "create", "patch", "read")
				}
				parts := strings.Split(template, "/")
				names := strings.Split(name, "/")
				for i, part := range parts {
					if folder := strings.Join(append(names[:i:i], ""), "/"); strings.Contains(strings.ReplaceAll(part, "{instance}", "prod"), "{") {
						want(r.folder(folder), "list")
					}
				}
				for _, other := range strange {
					for _, path := range []string{r.secret(other), r.data(other), r.metadata(other)} {
						if got := may(path); len(got) > 0 && !slices.Equal(got, []string{"list"}) && (version == 2) == (path != r.secret(other)) {
							t.Errorf("%s: %v is granted", path, got)
						}
					}
				}
			})
		}
	}
}

func rendered(t *testing.T, template string) string {
	t.Helper()
	parsed, err := sink.ParseTemplate(template)
	if err != nil {
		t.Fatal(err)
	}
	name, err := parsed.Render(sink.Subject{Skill: sampleSkill, Label: "kitchen", Instance: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

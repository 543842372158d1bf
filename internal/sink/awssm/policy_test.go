package awssm

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a role, a key and tags add to the policy is in testdata; what the policy
// is worth is proven against servers, in e2e.
func TestPolicies(t *testing.T) {
	c := Config{
		Region: "eu-west-1", Name: "alexa/{instance}/{label}/{skill_uuid}/oauth", KMSKeyID: "alias/alexa", Tags: map[string]string{"team": "voice", "cost": "1"},
		RoleARN: roleARN, ExternalID: externalID,
	}
	policies := c.Policies("prod", "")
	for i, file := range []string{"policy-role.json", "policy-caller.json"} {
		want, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), policies[i].Text); diff != "" || policies[i].Language != "json" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
	if len(policies) != 2 {
		t.Errorf("%d policies", len(policies))
	}
}

func TestPolicyByConfiguration(t *testing.T) {
	plain := func(change func(*Config)) Config {
		c := Config{Region: "eu-west-1", Name: "alexa/{skill_id}"}
		change(&c)
		return c
	}
	const anybody, given = "arn:aws:secretsmanager:eu-west-1:*:secret:alexa/*", "210987654321"
	viaService := func(service string) map[string]any { return map[string]any{"kms:ViaService": service} }
	for name, tt := range map[string]struct {
		config    Config
		account   string
		resources []string
		restores  bool
		key       *statement
	}{
		"the least":        {plain(func(*Config) {}), "", []string{anybody}, true, nil},
		"an account":       {plain(func(*Config) {}), given, []string{"arn:aws:secretsmanager:eu-west-1:210987654321:secret:alexa/*"}, true, nil},
		"no restore":       {plain(func(c *Config) { c.Restore = new(bool) }), "", []string{anybody}, false, nil},
		"another instance": {plain(func(c *Config) { c.Name = "{instance}-{skill_id}" }), "", []string{"arn:aws:secretsmanager:eu-west-1:*:secret:prod-*"}, true, nil},
		"a UUID at the end": {plain(func(c *Config) { c.Name = "a/{skill_uuid}" }), "", []string{
			"arn:aws:secretsmanager:eu-west-1:*:secret:a/????????-????-????-????-????????????",
			"arn:aws:secretsmanager:eu-west-1:*:secret:a/????????-????-????-????-????????????-??????",
		}, true, nil},
		"China": {plain(func(c *Config) { c.Region, c.KMSKeyID = "cn-north-1", "1234abcd" }), "", []string{"arn:aws-cn:secretsmanager:cn-north-1:*:secret:alexa/*"}, true, &statement{
			Resource: "arn:aws-cn:kms:cn-north-1:*:key/1234abcd", Condition: map[string]map[string]any{equals: viaService("secretsmanager.cn-north-1.amazonaws.com.cn")},
		}},
		"the government": {plain(func(c *Config) { c.Region = "us-gov-west-1" }), "", []string{"arn:aws-us-gov:secretsmanager:us-gov-west-1:*:secret:alexa/*"}, true, nil},
		"a key by its ARN": {plain(func(c *Config) { c.KMSKeyID = "arn:aws:kms:eu-west-1:1:key/2" }), "", []string{anybody}, true, &statement{
			Resource: "arn:aws:kms:eu-west-1:1:key/2", Condition: map[string]map[string]any{equals: viaService("secretsmanager.eu-west-1.amazonaws.com")},
		}},
		"an alias by its ARN": {plain(func(c *Config) { c.KMSKeyID = "arn:aws:kms:eu-west-1:1:alias/2" }), "", []string{anybody}, true, &statement{
			Resource: "arn:aws:kms:eu-west-1:1:key/*", Condition: map[string]map[string]any{
				equals: viaService("secretsmanager.eu-west-1.amazonaws.com"), "ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/2"},
			},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			policies := tt.config.Policies("prod", tt.account)
			var got document
			if err := json.Unmarshal([]byte(policies[0].Text), &got); err != nil || len(policies) != 1 {
				t.Fatal(len(policies), err)
			}
			restores := false
			for _, s := range got.Statement {
				switch s.Sid {
				case "List":
					continue
				case "Encrypt":
					if tt.key == nil {
						t.Errorf("got %+v", s)
						continue
					}
					tt.key.Sid, tt.key.Effect, tt.key.Action = "Encrypt", "Allow", []string{"kms:GenerateDataKey", "kms:Decrypt"}
					if diff := cmp.Diff(*tt.key, s); diff != "" {
						t.Errorf("the key (-want +got):\n%s", diff)
					}
					continue
				}
				var resources []string
				for _, r := range s.Resource.([]any) {
					resources = append(resources, r.(string))
				}
				if diff := cmp.Diff(tt.resources, resources); diff != "" {
					t.Errorf("%s (-want +got):\n%s", s.Sid, diff)
				}
				for _, action := range s.Action {
					restores = restores || action == "secretsmanager:RestoreSecret"
				}
			}
			if restores != tt.restores {
				t.Errorf("RestoreSecret is granted: %v", restores)
			}
		})
	}
}

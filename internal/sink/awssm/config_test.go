package awssm

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

const goodConfig = `
region: eu-west-1
name: alexa/{skill_id}
kms_key_id: alias/alexa
tags: {team: voice}
restore: false
role_arn: arn:aws:iam::123456789012:role/path/credsync
external_id: a-b:c/d
endpoint_url: https://vpce-0123.secretsmanager.eu-west-1.vpce.amazonaws.com
`

func TestConfig(t *testing.T) {
	var c Config
	if err := yaml.Unmarshal([]byte(goodConfig), &c); err != nil {
		t.Fatal(err)
	}
	if faults := c.Faults(); len(faults) > 0 {
		t.Errorf("got faults %+v, want none", faults)
	}
	if c.restores() || !(Config{}).restores() {
		t.Error("restore: false, or its default, is not heeded")
	}
	f := c.Form()
	if f.Kind != "aws_secrets_manager" || f.Scope != "eu-west-1" || c.NameTemplate() != "alexa/{skill_id}" {
		t.Errorf("got form %s %s and template %s", f.Kind, f.Scope, c.NameTemplate())
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		field   string
		problem string // part of it
		change  func(*Config)
	}{
		{"region", "missing", func(c *Config) { c.Region = "" }},
		{"region", "no AWS region", func(c *Config) { c.Region = "Ireland" }},
		{"region", "no AWS region", func(c *Config) { c.Region = "eu-west-1.evil.example" }},
		{"name", "missing", func(c *Config) { c.Name = "" }},
		{"name", "one name for all skills", func(c *Config) { c.Name = "alexa" }},
		{"name", "no placeholder", func(c *Config) { c.Name = "alexa/{skill}" }},
		{"name", "letters, digits", func(c *Config) { c.Name = "alexa {skill_id}" }},
		{"name", "512", func(c *Config) { c.Name = strings.Repeat("a", 512) + "{skill_id}" }},
		{"name", "a hyphen and six", func(c *Config) { c.Name = "{skill_id}-secret" }},
		{"kms_key_id", "no KMS key", func(c *Config) { c.KMSKeyID = "my key" }},
		{"tags", "reserved prefix", func(c *Config) { c.Tags = map[string]string{"credsync:team": "x"} }},
		{"tags", "reserved prefix", func(c *Config) { c.Tags = map[string]string{"AWS:team": "x"} }},
		{"tags", "key of a tag", func(c *Config) { c.Tags = map[string]string{"": "x"} }},
		{"tags", "key of a tag", func(c *Config) { c.Tags = map[string]string{"team;": "x"} }},
		{"tags", "value of", func(c *Config) { c.Tags = map[string]string{"team": strings.Repeat("x", 257)} }},
		{"tags", "48 tags", func(c *Config) {
			c.Tags = map[string]string{}
			for n := range 48 {
				c.Tags[fmt.Sprint("t", n)] = "x"
			}
		}},
		{"role_arn", "no ARN of a role", func(c *Config) { c.RoleARN = "arn:aws:iam::123456789012:user/me" }},
		{"external_id", "without role_arn", func(c *Config) { c.ExternalID = "id" }},
		{"external_id", "not accepted", func(c *Config) { c.RoleARN, c.ExternalID = roleARN, "x" }},
		{"endpoint_url", "URL of an endpoint", func(c *Config) { c.EndpointURL = "localhost:4566" }},
		{"endpoint_url", "URL of an endpoint", func(c *Config) { c.EndpointURL = "ftp://localhost" }},
		{"endpoint_url", "URL of an endpoint", func(c *Config) { c.EndpointURL = "https://user:canary@localhost" }},
	} {
		t.Run(c.field+": "+c.problem, func(t *testing.T) {
			config := testConfig("")
			c.change(&config)
			faults := config.Faults()
			if len(faults) != 1 || faults[0].Field != c.field || !strings.Contains(faults[0].Problem, c.problem) || faults[0].Hint == "" {
				t.Fatalf("got %+v, want one of %s: %s", faults, c.field, c.problem)
			}
			if strings.Contains(fmt.Sprint(faults), "canary") {
				t.Errorf("a fault shows a password: %+v", faults)
			}
			if _, err := Open(config, Options{}); err == nil {
				t.Error("Open took it")
			}
		})
	}
	t.Run("all at once", func(t *testing.T) {
		c := Config{ExternalID: "x", EndpointURL: "x", KMSKeyID: " ", RoleARN: "x", Tags: map[string]string{"aws:a": "", "aws:b": ""}}
		if got := len(c.Faults()); got != 8 {
			t.Errorf("got %d faults, want 8: %+v", got, c.Faults())
		}
	})
	for _, region := range []string{"eu-west-1", "us-gov-east-1", "cn-northwest-1", "us-iso-west-1", "us-isob-east-1", "eusc-de-east-1", "ap-southeast-7", "mx-central-1"} {
		if faults := (Config{Region: region, Name: "{skill_id}"}).Faults(); len(faults) > 0 {
			t.Errorf("%s: got %+v, want no fault", region, faults)
		}
	}
}

func TestPlace(t *testing.T) {
	seen := map[string]int{}
	for n, c := range []Config{
		testConfig(""),
		{Region: "eu-west-2", Name: "alexa/{skill_id}"},
		{Region: "eu-west-1", Name: "other/{skill_id}"},
		{Region: "eu-west-1", Name: "alexa/{skill_id}", RoleARN: roleARN},
		{Region: "eu-west-1", Name: "alexa/{skill_id}", EndpointURL: "https://localhost"},
	} {
		if other, ok := seen[c.Place()]; ok {
			t.Errorf("configurations %d and %d have one place, %s", n, other, c.Place())
		}
		seen[c.Place()] = n
	}
	same := testConfig("")
	same.Tags, same.KMSKeyID = map[string]string{"team": "voice"}, "alias/alexa"
	if _, ok := seen[same.Place()]; !ok {
		t.Error("tags and key move a configuration elsewhere")
	}
}

func TestFingerprintIsOverTheRegion(t *testing.T) {
	record := func(region string) sink.Record {
		r, err := Config{Region: region}.Form().Record(credential.FingerprintKey{}, sink.Owner{}, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if record("eu-west-1").Fingerprint == record("eu-west-2").Fingerprint {
		t.Error("two regions have one fingerprint")
	}
}

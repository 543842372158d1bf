// Package starter writes the first configuration of somebody who has none.
package starter

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

// The files that a configuration names, beside it.
const (
	ConfigFile = "credsync.yaml"
	SkillsFile = "skills.txt"
	SecretFile = "lwa-client-secret" //nolint:gosec // the name of a file
	TokenFile  = "refresh-token"
	VaultFile  = "vault-token"
)

// A Kind is a kind of sink.
type Kind string

// The kinds.
const (
	Vault Kind = "vault"
	AWS   Kind = "aws"
	File  Kind = "file"
)

// Answers are what a configuration is made of. ClientID is required, and with
// Vault its Address; all else has a default.
type Answers struct {
	Source   string // the name of the account; default "amazon"
	ClientID string
	Emulator string // base URL of an emulator; empty = Amazon
	Sink     Kind   // default File
	Address  string // Vault
	Mount    string // Vault; default "secret"
	Region   string // AWS; default "us-east-1"
	Dir      string // File; default "secrets"
	Name     string // template of the names; default alexa/{skill_id}, of files {skill_id}.json
	Schedule string // default every six hours
	Vendor   string // all skills of it, in place of a list
}

// WithDefaults returns a with the defaults that are missing.
func (a Answers) WithDefaults() Answers {
	name := "alexa/{skill_id}"
	set(&a.Source, "amazon")
	if set((*string)(&a.Sink), string(File)); a.Sink == File {
		name = "{skill_id}.json"
	}
	set(&a.Mount, "secret")
	set(&a.Region, "us-east-1")
	set(&a.Dir, "secrets")
	set(&a.Name, name)
	set(&a.Schedule, "0 */6 * * *")
	return a
}

func set(value *string, otherwise string) {
	if *value == "" {
		*value = otherwise
	}
}

// SchemaURL is where editors find what a configuration may hold.
const SchemaURL = "https://raw.githubusercontent.com/credsync/credsync/main/configs/credsync.schema.json"

var text = template.Must(template.New("config").Funcs(template.FuncMap{"yaml": scalar}).Parse(`# yaml-language-server: $schema=` + SchemaURL + `
#
# Relative paths start from this file. Secrets never stand in it: a place does.
# Every key there is: configs/credsync.yaml in the source of credsync.

# Memory between runs, such as a refresh token that Amazon replaced. Losing it
# loses no secret.
state_dir: state

# Where credentials come from: an Amazon developer account.
sources:
  {{.Source}}:
    smapi:
      # Your own security profile: developer console, Login with Amazon.
      client_id: {{yaml .ClientID}}
      client_secret: {file: ` + SecretFile + `}
      refresh_token: {file: ` + TokenFile + `} # credsync login --source {{.Source}} writes it
{{- with .Emulator}}
      # The emulator. Without these three lines it is Amazon.
      api_url: {{yaml .}}
      token_url: {{yaml (print . "/auth/o2/token")}}
      authorize_url: {{yaml (print . "/ap/oa")}}
{{- end}}

# Where they go.
sinks:
  {{.Sink}}:
{{- if eq .Sink "vault"}}
    vault_kv:
      address: {{yaml .Address}}
      mount: {{yaml .Mount}} # a KV engine, version 2
      path: {{yaml .Name}}
      auth: {token: {file: ` + VaultFile + `}} # for a daemon rather approle
{{- else if eq .Sink "aws"}}
    aws_secrets_manager: # identity: environment, profile or role, as the AWS SDK finds it
      region: {{yaml .Region}}
      name: {{yaml .Name}}
{{- else}}
    file:
      dir: {{yaml .Dir}}
      name: {{yaml .Name}}
      format: json
{{- end}}

# What goes where, and when.
jobs:
  alexa:
    schedule: {{yaml .Schedule}} # of credsync run
    source: {{.Source}}
{{- if .Vendor}}
    skills: {vendor: {{yaml .Vendor}}} # all skills of this account
{{- else}}
    skills: {file: ` + SkillsFile + `} # read anew at each run
{{- end}}
    sinks: [{{.Sink}}]

# What was done, a JSON object a line.
audit: {file: audit.jsonl}
`))

// Config returns the configuration that a describes.
func (a Answers) Config() string {
	var b strings.Builder
	if err := text.Execute(&b, a.WithDefaults()); err != nil {
		panic(err) // a template of ours over a type of ours
	}
	return b.String()
}

// plain are texts that YAML takes as they are, whatever stands around them.
var plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._/-]*$|^https?://[A-Za-z0-9._:/-]+[A-Za-z0-9/]$`)

// scalar returns s as YAML: quoted as JSON, which YAML is a superset of, unless
// it is plain and no word like yes or null.
func scalar(s string) string {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
	default:
		if plain.MatchString(s) {
			return s
		}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return strings.TrimSpace(b.String())
}

// example stands in a list that nobody has filled yet.
const example = "amzn1.ask.skill.00000000-0000-4000-8000-000000000000 example"

// SkillList returns a list of these skills, with an example where there are
// none; each is an ID, and a label behind it if you like. how fills the list.
func SkillList(skills []string, how string) string {
	var b strings.Builder
	b.WriteString("# The skills to sync: an ID a line, and a label if you like. Read anew at each run.\n")
	if len(skills) == 0 {
		fmt.Fprintf(&b, "# Put yours in place of the example, or let the account tell:\n#   %s\n", how)
		skills = []string{example}
	}
	for _, s := range skills {
		b.WriteString(s + "\n")
	}
	return b.String()
}

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/sink"
)

type policyCmd struct {
	Sink    string `complete:"sink" arg:"" optional:"" name:"sink" help:"The sink, by its name in the configuration (default: all, each under a heading)."`
	Account string `placeholder:"ID" help:"The AWS account of the secrets (default: that of role_arn, else any)."`
	Assume  bool   `help:"For a sink with role_arn: the policy of the identity that assumes the role."`
	Output  string `short:"o" enum:"text,json" default:"text" help:"text (ready for vault or aws) or json (an object for each policy)."`
}

// Help is what --help adds.
func (policyCmd) Help() string {
	return `The least that credsync needs, from the configuration alone: no server is asked
and no secret is read. Of one sink it comes ready to use.

Examples:
  credsync policy vault | vault policy write credsync -
  credsync policy aws > policy.json
  aws iam put-role-policy --role-name credsync --policy-name credsync \
      --policy-document file://policy.json`
}

var accountPattern = regexp.MustCompile(`^[0-9]{12}$`)

// A grant is a policy for one sink.
type grant struct {
	sink, kind string
	sink.Policy
}

func (cmd policyCmd) Run(_ context.Context, c *cli, t terminal) error {
	if cmd.Account != "" && !accountPattern.MatchString(cmd.Account) {
		return usage(errors.New("--account: the ID of an AWS account has 12 digits"))
	}
	if cmd.Assume && cmd.Sink == "" {
		return usage(errors.New("--assume: name the sink whose role_arn is assumed"))
	}
	cfg, err := config.Peek(c.Config)
	if err != nil {
		return usage(err)
	}
	if cmd.Sink == "" {
		var all []grant
		for _, name := range slices.Sorted(maps.Keys(cfg.Sinks)) {
			all = append(all, grants(name, cfg.Sinks[name], cfg.Instance, cmd.Account)...)
		}
		return cmd.show(t.out, all, true)
	}
	if err := known("sink", cmd.Sink, cfg.Sinks, cfg.Path); err != nil {
		return err
	}
	of := grants(cmd.Sink, cfg.Sinks[cmd.Sink], cfg.Instance, cmd.Account)
	switch {
	case cmd.Assume && len(of) < 2:
		return usage(fmt.Errorf("--assume: sink %s has no role_arn", cmd.Sink))
	case cmd.Assume:
		of = of[1:]
	}
	return cmd.show(t.out, of[:1], false)
}

// grants returns what the sink needs, first of who writes to it.
func grants(name string, c config.Sink, instance, account string) (all []grant) {
	switch {
	case c.VaultKV != nil:
		all = append(all, grant{name, "vault_kv", c.VaultKV.Policy(instance)})
	case c.AWS != nil:
		for _, p := range c.AWS.Policies(instance, account) {
			all = append(all, grant{name, "aws_secrets_manager", p})
		}
	case c.File != nil:
		all = append(all, grant{name, "file", c.File.Policy()})
	}
	return all
}

func (cmd policyCmd) show(w io.Writer, all []grant, headed bool) error {
	if cmd.Output == "json" {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for _, g := range all {
			if err := enc.Encode(g.object()); err != nil {
				return err
			}
		}
		return nil
	}
	var b strings.Builder
	for i, g := range all {
		if headed {
			fmt.Fprintf(&b, "%s### sink %s (%s): %s\n", map[bool]string{true: "\n"}[i > 0], g.sink, g.kind, g.For)
		}
		b.WriteString(g.Text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// object is g as a program reads it. A policy in JSON stands there as it is, and
// others as text.
func (g grant) object() map[string]any {
	o := map[string]any{"sink": g.sink, "kind": g.kind, "for": g.For, "language": cmp.Or(g.Language, "none"), "policy": g.Text}
	if g.Language == "json" {
		o["policy"] = json.RawMessage(g.Text)
	}
	return o
}

package main

import (
	"io"

	"github.com/alecthomas/kong"

	"github.com/credsync/credsync/internal/completion"
	"github.com/credsync/credsync/internal/config"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is what --help adds.
func (completionCmd) Help() string {
	return `The packages install it. Names of jobs, sinks and sources come from the
configuration that the line names. bash wants the package bash-completion, or the
file sourced in ~/.bashrc; for zsh DIR has to be in $fpath.

Examples:
  credsync completion bash > ~/.local/share/bash-completion/completions/credsync
  credsync completion zsh > DIR/_credsync
  credsync completion fish > ~/.config/fish/completions/credsync.fish`
}

func (cmd completionCmd) Run(t terminal) error {
	script, err := completion.Script(cmd.Shell)
	if err != nil {
		return usage(err)
	}
	_, err = io.WriteString(t.out, script)
	return err
}

// completeCmd is what the scripts of completionCmd ask.
type completeCmd struct {
	Words []string `arg:"" optional:"" help:"The words typed so far, without the first, up to the cursor."`
}

func (cmd completeCmd) Run(k *kong.Context, c *cli, t terminal) error {
	return completion.Complete(k.Model.Node, cmd.Words, c.names).Print(t.out)
}

// names returns what the configuration calls its parts, for completion.
func (c *cli) names(kind string, given map[string][]string) (all []completion.Candidate) {
	path := c.Config
	if named := given["config"]; len(named) > 0 {
		path = named[len(named)-1]
	}
	o := config.Outlined(path)
	for _, name := range map[string][]string{"job": o.Jobs, "sink": o.Sinks, "source": o.Sources}[kind] {
		all = append(all, completion.Candidate{Value: name, Help: kind})
	}
	if kind == "skill" {
		for _, s := range o.Skills {
			all = append(all, completion.Candidate{Value: s.ID, Help: s.Label})
		}
	}
	return all
}

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/source"
)

type skillsCmd struct {
	Source string `complete:"source" required:"" placeholder:"S" help:"The source to ask, by its name in the configuration."`
	Vendor string `placeholder:"V" help:"Only the skills of this vendor ID (default: all that the account sees)."`
	Output string `short:"o" enum:"table,json" default:"table" help:"table (a skill list, ready to use) or json."`
}

// Help is what --help adds.
func (skillsCmd) Help() string {
	return `The table is a skill list, ready to use: delete the lines you don't want.

Examples:
  credsync skills --source acme > skills.txt
  credsync skills --source acme --vendor M0123456789ABC -o json`
}

// listTime is for the listing of an account's skills.
const listTime = 10 * time.Minute

func (cmd skillsCmd) Run(ctx context.Context, c *cli, t terminal) error {
	s, err := c.setup(t)
	if err != nil {
		return err
	}
	defer s.close()
	if err := known("source", cmd.Source, s.cfg.Sources, s.cfg.Path); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, listTime) // a throttled listing would go on for ever
	defer cancel()
	skills, err := s.sources[cmd.Source].Skills(ctx, cmd.Vendor)
	if err != nil {
		return fmt.Errorf("list skills: %w", err)
	}
	if cmd.Output == "json" {
		return json.NewEncoder(t.out).Encode(map[string]any{"source": cmd.Source, "skills": append([]source.Skill{}, skills...)})
	}
	var b strings.Builder
	slices.SortFunc(skills, func(a, b source.Skill) int { return cmp.Or(cmp.Compare(a.Vendor, b.Vendor), cmp.Compare(a.ID, b.ID)) })
	for _, sk := range skills {
		fmt.Fprintf(&b, "%-52s # %s (%s)\n", sk.ID, clip(sk.Name, 40), strings.Join(sk.Stages, ", "))
	}
	_, err = t.out.Write([]byte(b.String()))
	return err
}

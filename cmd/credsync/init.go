package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/starter"
)

type initCmd struct {
	Dir          string   `type:"path" complete:"directory" default:"." placeholder:"D" help:"Where to write (default: here)."`
	Source       string   `placeholder:"NAME" help:"What to call the Amazon account (default: amazon)."`
	ClientID     string   `placeholder:"ID" help:"Client ID of your security profile."`
	Sink         string   `enum:"vault,aws,file," default:"" placeholder:"KIND" help:"Where the pairs go: vault, aws or file."`
	VaultAddress string   `placeholder:"URL" help:"Address of Vault or OpenBao."`
	VaultMount   string   `placeholder:"M" help:"Mount of its KV engine (default: secret)."`
	Region       string   `placeholder:"R" help:"Region of AWS Secrets Manager (default: us-east-1)."`
	FilesDir     string   `placeholder:"D" help:"Directory for the files (default: secrets)."`
	Name         string   `placeholder:"T" help:"Template of the names (default: alexa/{skill_id}; of files {skill_id}.json)."`
	Schedule     string   `placeholder:"CRON" help:"When the daemon syncs (default: every six hours)."`
	Skill        []string `sep:"none" placeholder:"ID" help:"A skill for the list; may be repeated."`
	Vendor       string   `placeholder:"V" help:"All skills of this vendor ID, in place of a list."`
	FromEmulator string   `placeholder:"URL" help:"Take client, secrets and skills from a running credsync emulator, for a trial."`
}

// Help is what --help adds.
func (initCmd) Help() string {
	return `Asks what flags don't say, on a terminal; elsewhere flags say it all. It writes
credsync.yaml and skills.txt, and never over what is there. Secrets are asked for
without showing them and go into files that only you can read; Enter leaves one
for later.

Examples:
  credsync init
  credsync init --client-id amzn1.application-oa2-client.0123 --sink file
  credsync init --client-id amzn1.application-oa2-client.0123 --sink vault \
      --vault-address https://vault.example.com:8200
  credsync init --dir trial --from-emulator http://127.0.0.1:8080`
}

func (cmd initCmd) Run(ctx context.Context, t terminal) error {
	n := &novice{cmd: cmd, person: t.person(), secrets: make(map[string]credential.Secret)}
	if err := n.spare(); err != nil {
		return usage(err)
	}
	if err := n.learn(ctx); err != nil {
		return usage(err)
	}
	text, list, err := n.compose()
	if err != nil {
		return usage(err)
	}
	if err := n.write(text, list); err != nil {
		return err
	}
	say(t.out, n.next())
	return nil
}

// A novice has no configuration yet.
type novice struct {
	cmd     initCmd
	person  *person
	answers starter.Answers
	skills  []string
	secrets map[string]credential.Secret // by file; what was given, and is to be written
}

func (n *novice) path(name string) string { return filepath.Join(n.cmd.Dir, name) }

// spare returns an error where a file of ours stands already.
func (n *novice) spare() error {
	var faults []error
	for _, name := range []string{starter.ConfigFile, starter.SkillsFile} {
		if _, err := os.Lstat(n.path(name)); !errors.Is(err, fs.ErrNotExist) {
			faults = append(faults, fmt.Errorf("%s exists, and nothing is written over it; choose another --dir, or move it away", n.path(name)))
		}
	}
	return errors.Join(faults...)
}

// learn puts together what flags say, the emulator tells and the person answers.
func (n *novice) learn(ctx context.Context) error {
	c := n.cmd
	n.answers = starter.Answers{
		Source: c.Source, ClientID: c.ClientID, Sink: starter.Kind(c.Sink), Address: c.VaultAddress, Mount: c.VaultMount,
		Region: c.Region, Dir: c.FilesDir, Name: c.Name, Schedule: c.Schedule, Vendor: c.Vendor,
	}
	ids, err := parseIDs(c.Skill)
	if err != nil {
		return err
	}
	for _, id := range ids {
		n.skills = append(n.skills, string(id))
	}
	if len(n.skills) > 0 && c.Vendor != "" {
		return errors.New("--skill and --vendor: name the one or the other")
	}
	if c.FromEmulator != "" {
		if err := n.copyEmulator(ctx); err != nil {
			return err
		}
	}
	if n.person.present() {
		return n.ask(ctx)
	}
	switch a := n.answers; {
	case a.ClientID == "":
		return errors.New("--client-id is missing; it stands in your security profile (developer console, Login with Amazon)")
	case a.Sink == starter.Vault && a.Address == "":
		return errors.New("--vault-address is missing, like https://vault.example.com:8200")
	}
	return nil
}

// compose returns the configuration and the list, which are known to be good.
func (n *novice) compose() (text, list string, err error) {
	n.answers = n.answers.WithDefaults()
	text = n.answers.Config()
	if err := os.MkdirAll(n.cmd.Dir, 0o700); err != nil {
		return "", "", fmt.Errorf("%s: %w", n.cmd.Dir, fault.Cause(err))
	}
	if _, err := config.Sketch([]byte(text), n.path(starter.ConfigFile)); err != nil {
		return "", "", fmt.Errorf("nothing is written, because this would come of it:\n%w", err)
	}
	if n.answers.Vendor == "" {
		list = starter.SkillList(n.skills, fmt.Sprintf("credsync -c %s skills --source %s > %s", starter.ConfigFile, n.answers.Source, starter.SkillsFile))
	}
	return text, list, nil
}

// write writes all files, the configuration last: it is what makes them ours.
func (n *novice) write(text, list string) error {
	for _, name := range []string{starter.SecretFile, starter.TokenFile, starter.VaultFile} {
		secret, given := n.secrets[name]
		if !given {
			continue
		}
		p, err := credential.Prepare(n.path(name), false)
		if err != nil {
			return fmt.Errorf("%w; it stays", err)
		}
		if err := p.Commit(secret); err != nil {
			return err
		}
	}
	if list != "" {
		if err := create(n.path(starter.SkillsFile), list); err != nil {
			return err
		}
	}
	return create(n.path(starter.ConfigFile), text)
}

// create writes a file that is not there yet.
func create(path, content string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // it holds no secret, and services of other users read it
	if err != nil {
		return fmt.Errorf("%s: %w", path, fault.Cause(err))
	}
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, fault.Cause(err))
	}
	return nil
}

// next says what is left to do.
func (n *novice) next() string {
	config := n.path(starter.ConfigFile)
	if here, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(here, config); err == nil && !strings.HasPrefix(rel, "..") {
			config = rel
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s is written. Next:\n", config)
	dir, command := filepath.Dir(config), "credsync -c "+config
	if !n.there(starter.SecretFile) {
		fmt.Fprintf(&b, "  (umask 077; cat > %s)   # the client secret: paste, Enter, Ctrl-D\n", filepath.Join(dir, starter.SecretFile))
	}
	if n.answers.Sink == starter.Vault && !n.there(starter.VaultFile) {
		fmt.Fprintf(&b, "  %s policy vault | vault policy write credsync -\n", command)
		fmt.Fprintf(&b, "  (umask 077; vault token create -policy=credsync -field=token > %s)\n", filepath.Join(dir, starter.VaultFile))
	}
	if !n.there(starter.TokenFile) {
		fmt.Fprintf(&b, "  %s login --source %s\n", command, n.answers.Source)
	}
	if n.answers.Vendor == "" && len(n.skills) == 0 {
		fmt.Fprintf(&b, "  %s skills --source %s > %s\n", command, n.answers.Source, filepath.Join(dir, starter.SkillsFile))
	}
	fmt.Fprintf(&b, "  %s check --online\n  %s plan\n", command, command)
	return b.String()
}

func (n *novice) there(name string) bool {
	_, err := os.Stat(n.path(name))
	return err == nil
}

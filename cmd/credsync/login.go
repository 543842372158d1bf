package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source/smapi"
)

type loginCmd struct {
	Source           string        `complete:"source" placeholder:"S" help:"The source to log in for, by its name in the configuration: its client, and the file of its refresh_token."`
	ClientID         string        `placeholder:"ID" help:"Client ID of the security profile (else the source's)."`
	ClientSecretFile string        `type:"path" complete:"file" placeholder:"FILE" help:"File with its client secret (else the source's client_secret)."`
	Out              string        `type:"path" complete:"file" placeholder:"FILE" help:"Where to write the refresh token (else the file of the source's refresh_token; without a source: refresh-token)."`
	Force            bool          `help:"Replace a refresh token that is there."`
	Scope            []string      `sep:"none" default:"${scope}" placeholder:"SCOPE" help:"Scope to ask for; may be repeated (default: ${scope})."`
	Port             int           `default:"9090" placeholder:"N" help:"Port on this machine that the browser comes back to (default ${default})."`
	Redirect         string        `placeholder:"URL" help:"The whole return URL (default: http://127.0.0.1:PORT/cb)."`
	NoBrowser        bool          `help:"Open nothing and listen nowhere: paste what the browser comes back with. Works over SSH."`
	Timeout          time.Duration `default:"10m" placeholder:"D" help:"How long to wait for the person (default ${default})."`
	Check            bool          `default:"true" negatable:"" help:"Try the token with one call at the end (default: yes)."`
	AuthorizeURL     string        `placeholder:"URL" help:"Another page of Amazon's than the source's, or https://www.amazon.com/ap/oa."`
	TokenURL         string        `placeholder:"URL" help:"Another token endpoint than the source's, or https://api.amazon.com/auth/o2/token."`
	APIURL           string        `name:"api-url" placeholder:"URL" help:"Another Skill Management API than the source's, or https://api.amazonalexa.com."`
}

// Help is what --help adds.
func (loginCmd) Help() string {
	return `A refresh token lets credsync ask Amazon in your name, until you take the consent
back. Getting one takes a browser and a person, once. Before: create a security
profile (developer console, Login with Amazon) and add the return URL,
http://127.0.0.1:9090/cb, to its Allowed Return URLs (Web Settings).

The token goes into a file that only you can read, and nowhere else.

Examples:
  credsync login --source acme
  credsync login --source acme --force --no-browser
  credsync login --client-id amzn1.application-oa2-client.0123 \
      --client-secret-file lwa-client-secret --out refresh-token`
}

func (cmd loginCmd) Run(ctx context.Context, c *cli, t terminal) error {
	account, err := cmd.account(c)
	if err != nil {
		return err
	}
	back, err := cmd.back()
	if err != nil {
		return usage(err)
	}
	if _, err := account.ClientSecret.Read(); err != nil {
		return usage(fmt.Errorf("client secret: %w", err))
	}
	out, err := credential.Prepare(account.RefreshToken.File, cmd.Force)
	if errors.Is(err, credential.ErrExists) {
		return usage(fmt.Errorf("refresh token: %w; it stays, unless you say --force", err))
	}
	if err != nil {
		return usage(fmt.Errorf("refresh token: %w", err))
	}
	defer out.Discard()

	consent, err := smapi.NewConsent(account, back.String(), cmd.Scope)
	if err != nil {
		return usage(err)
	}
	l := &login{Consent: consent, back: back, timeout: cmd.Timeout, t: t}
	issued, err := l.run(ctx, cmd.NoBrowser)
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	if err := out.Commit(issued.Refresh); err != nil {
		return err
	}
	say(t.out, fmt.Sprintf("The refresh token is in %s, for you alone to read.\n", account.RefreshToken.File))
	if cmd.Check {
		if err := l.try(ctx, issued); err != nil {
			return &failure{exitPartial, fmt.Errorf("the token is written, but it doesn't work yet: %w", err)}
		}
		say(t.out, "Amazon's API takes it.\n")
	}
	say(t.out, cmd.next(c))
	return nil
}

// next says what to do with a refresh token that is there.
func (cmd loginCmd) next(c *cli) string {
	if cmd.Source == "" {
		return "Next, a configuration that names it; credsync init writes one.\n"
	}
	return fmt.Sprintf("Next, the skills of your account:\n  %s skills --source %s > skills.txt\n", c.command(), cmd.Source)
}

// account returns the account to log in to, whose refresh token is in a file.
func (cmd loginCmd) account(c *cli) (smapi.Config, error) {
	var account smapi.Config
	if cmd.Source != "" {
		cfg, err := config.Peek(c.Config)
		if err != nil {
			return account, usage(err)
		}
		if err := known("source", cmd.Source, cfg.Sources, cfg.Path); err != nil {
			return account, err
		}
		account = *cfg.Sources[cmd.Source].SMAPI
	}
	override(&account.ClientID, cmd.ClientID)
	override(&account.AuthorizeURL, cmd.AuthorizeURL)
	override(&account.TokenURL, cmd.TokenURL)
	override(&account.APIURL, cmd.APIURL)
	if cmd.ClientSecretFile != "" {
		account.ClientSecret = credential.Ref{File: cmd.ClientSecretFile}
	}
	switch {
	case account.ClientID == "" || account.ClientSecret.IsZero():
		return account, usage(errors.New("which security profile? Name a source of the configuration (--source), or --client-id and --client-secret-file"))
	case cmd.Out != "":
		account.RefreshToken = credential.Ref{File: cmd.Out}
	case cmd.Source == "":
		out, err := filepath.Abs("refresh-token")
		if err != nil {
			return account, err
		}
		account.RefreshToken = credential.Ref{File: out}
	case account.RefreshToken.File == "":
		return account, usage(fmt.Errorf("source %s takes its refresh_token from %s, where nothing can be written; say --out FILE, and bring it there", cmd.Source, account.RefreshToken))
	}
	return account, loginFaults(account)
}

// loginFaults returns what is wrong with what flags said of account.
func loginFaults(account smapi.Config) error {
	var faults []error
	for _, f := range account.Faults() {
		faults = append(faults, fmt.Errorf("--%s: %s; %s", strings.ReplaceAll(f.Field, "_", "-"), f.Problem, f.Hint))
	}
	if len(faults) == 0 {
		return nil
	}
	return usage(errors.Join(faults...))
}

func override(value *string, by string) {
	if by != "" {
		*value = by
	}
}

// back returns the URL that the browser is sent back to.
func (cmd loginCmd) back() (*url.URL, error) {
	text := cmd.Redirect
	if text == "" {
		if cmd.Port < 1 || cmd.Port > 65535 {
			return nil, fmt.Errorf("--port %d is no port; 9090 is the one that the README names", cmd.Port)
		}
		text = fmt.Sprintf("http://127.0.0.1:%d/cb", cmd.Port)
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Fragment != "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("--redirect is no return URL; write it as the security profile has it, like http://127.0.0.1:9090/cb")
	}
	return u, nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/starter"
	"github.com/credsync/credsync/internal/suggest"
)

// ask asks for what is still missing, and for the secrets that are not there.
func (n *novice) ask(ctx context.Context) error {
	a := &n.answers
	fmt.Fprint(n.person.out, "Enter takes what stands in [brackets]; Ctrl-C writes nothing.\n\n")
	if err := n.fill(ctx, &a.ClientID, "Client ID of your security profile (developer console, Login with Amazon): ", ""); err != nil {
		return err
	}
	if err := n.choose(ctx); err != nil {
		return err
	}
	var err error
	switch a.Sink {
	case starter.Vault:
		err = n.fill(ctx, &a.Address, "Address of Vault, like https://vault.example.com:8200: ", "")
		err = errors.Join(err, n.fill(ctx, &a.Mount, "Mount of its KV engine [secret]: ", "secret"))
	case starter.AWS:
		err = n.fill(ctx, &a.Region, "Region of AWS Secrets Manager [us-east-1]: ", "us-east-1")
	default:
		err = n.fill(ctx, &a.Dir, "Directory for the files [secrets]: ", "secrets")
	}
	if err != nil {
		return err
	}
	if err := n.secret(ctx, starter.SecretFile, "Client secret of the security profile"); err != nil {
		return err
	}
	if a.Sink == starter.Vault {
		return n.secret(ctx, starter.VaultFile, "A token of Vault's for credsync")
	}
	return nil
}

// fill asks until value holds something.
func (n *novice) fill(ctx context.Context, value *string, question, otherwise string) error {
	for *value == "" {
		text, err := n.person.line(ctx, question)
		if err != nil {
			return unanswered(err)
		}
		*value = text
		if text == "" {
			*value = otherwise
		}
	}
	return nil
}

// choose asks for the kind of sink.
func (n *novice) choose(ctx context.Context) error {
	kinds := []string{string(starter.Vault), string(starter.AWS), string(starter.File)}
	for n.answers.Sink == "" {
		text, err := n.person.line(ctx, "Where do the pairs go: vault, aws or file? [file]: ")
		switch {
		case err != nil:
			return unanswered(err)
		case text == "":
			n.answers.Sink = starter.File
		case slices.Contains(kinds, strings.ToLower(text)):
			n.answers.Sink = starter.Kind(strings.ToLower(text))
		default:
			fmt.Fprintf(n.person.out, "%q is no kind of sink; %s\n", printable(text), suggest.Hint(text, kinds, "kinds"))
		}
	}
	return nil
}

// secret asks for what belongs into a file that is not there.
func (n *novice) secret(ctx context.Context, file, what string) error {
	if _, given := n.secrets[file]; given || n.there(file) {
		return nil
	}
	text, err := n.person.hidden(ctx, what+" (does not show; Enter: later): ")
	if err != nil {
		return unanswered(err)
	}
	if !text.IsZero() {
		n.secrets[file] = text
	}
	return nil
}

func unanswered(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	return err
}

// emulatorTime bounds the questions to an emulator.
const emulatorTime = 10 * time.Second

// copyEmulator takes over what a running emulator tells of itself.
func (n *novice) copyEmulator(ctx context.Context) error {
	base := strings.TrimRight(n.cmd.FromEmulator, "/")
	if u, err := url.Parse(base); err != nil || u.Host == "" {
		return fmt.Errorf("--from-emulator %q is no address; credsync emulator prints its own, like http://127.0.0.1:8080", n.cmd.FromEmulator)
	}
	ctx, cancel := context.WithTimeout(ctx, emulatorTime)
	defer cancel()
	var client struct {
		ID      string `json:"client_id"`
		Secret  string `json:"client_secret"`
		Refresh string `json:"refresh_token"`
	}
	var list struct {
		Skills []struct {
			ID   string `json:"skill"`
			Name string `json:"name"`
		} `json:"skills"`
	}
	if err := errors.Join(tell(ctx, base+"/emulator/client", &client), tell(ctx, base+"/emulator/skills", &list)); err != nil {
		return fmt.Errorf("no emulator answers at %s; start one in another terminal: credsync emulator", base)
	}
	n.answers.Emulator = base
	n.answers.ClientID = client.ID
	n.secrets[starter.SecretFile] = credential.NewSecret(client.Secret)
	n.secrets[starter.TokenFile] = credential.NewSecret(client.Refresh)
	if len(n.skills) == 0 && n.answers.Vendor == "" {
		for _, s := range list.Skills {
			n.skills = append(n.skills, s.ID+" "+strings.ToLower(strings.ReplaceAll(s.Name, " ", "-")))
		}
	}
	return nil
}

// tell decodes what stands at address.
func tell(ctx context.Context, address string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, 16<<20)).Decode(v)
}

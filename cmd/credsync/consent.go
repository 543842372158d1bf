package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/loopback"
	"github.com/credsync/credsync/internal/source/smapi"
)

const (
	probeTime  = 10 * time.Second // for a look at Amazon's page
	redeemTime = time.Minute      // for a code, of whose five minutes some are gone
	tryTime    = 30 * time.Second
)

// A login is a consent while a person is asked for it.
type login struct {
	*smapi.Consent
	back    *url.URL
	timeout time.Duration
	t       terminal
}

// run leads a person through the consent. Nothing that it prints is secret, and
// nothing secret is printed.
func (l *login) run(ctx context.Context, paste bool) (smapi.Issued, error) {
	if err := l.probe(ctx); err != nil {
		return smapi.Issued{}, err
	}
	waiting, done := context.WithTimeout(ctx, l.timeout)
	defer done()
	code, err := l.code(waiting, paste || !loopback.Possible(l.back))
	switch {
	case ctx.Err() != nil:
		return smapi.Issued{}, errInterrupted
	case waiting.Err() != nil && err != nil:
		return smapi.Issued{}, fmt.Errorf("no answer within %s. Where Amazon showed an error page instead of asking, it doesn't know the client ID, or %s is not among the Allowed Return URLs of the security profile, to the letter", l.timeout, l.back)
	case err != nil:
		return smapi.Issued{}, err
	}
	redeeming, done := context.WithTimeout(ctx, redeemTime)
	defer done()
	issued, err := l.Redeem(redeeming, code)
	if ctx.Err() != nil {
		err = errInterrupted
	}
	return issued, err
}

// probe looks at the page before the person does.
func (l *login) probe(ctx context.Context) error {
	probing, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	err := l.Probe(probing)
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case probing.Err() != nil:
		return nil // a page that takes its time is the browser's business
	}
	return err
}

// errInterrupted ends what a signal, or the person, cut short.
var errInterrupted = errors.New("interrupted; nothing was written")

// code returns what Amazon gives for the consent.
func (l *login) code(ctx context.Context, paste bool) (credential.Secret, error) {
	if paste {
		return l.pasted(ctx)
	}
	heard, err := loopback.Listen(ctx, l.back)
	if errors.Is(err, loopback.ErrBusy) {
		return credential.Secret{}, fmt.Errorf("%w; free it, or say --port with another and add that return URL to the security profile, or --no-browser", err)
	}
	if err != nil {
		return credential.Secret{}, err
	}
	l.invite()
	if openBrowser(l.URL()) {
		fmt.Fprint(l.t.err, "A browser should open by itself. ")
	} else {
		fmt.Fprint(l.t.err, "No browser to open here; where yours is on another machine: --no-browser.\n")
	}
	fmt.Fprintf(l.t.err, "Waiting for %s; Ctrl-C ends it.\n", config.Brief(l.timeout))
	var code credential.Secret
	var refused error
	err = heard.Wait(ctx, func(query url.Values) loopback.Verdict {
		code, refused = l.Code(query)
		switch {
		case errors.Is(refused, smapi.ErrStray):
			return loopback.Stray
		case refused != nil:
			return loopback.Refused
		}
		return loopback.Granted
	})
	return code, errors.Join(err, refused)
}

// pasted asks for what the browser came back with until it is of use.
func (l *login) pasted(ctx context.Context) (credential.Secret, error) {
	l.invite()
	fmt.Fprint(l.t.err, "After that the browser goes to an address that need not load. Copy that address.\n")
	person := l.t.person()
	for {
		text, err := person.hidden(ctx, "Paste it here, or the code in it (it does not show): ")
		if errors.Is(err, io.EOF) {
			return credential.Secret{}, errors.New("the input ended before a code came")
		}
		if err != nil {
			return credential.Secret{}, err
		}
		code, err := l.Pasted(text)
		if !errors.Is(err, smapi.ErrStray) && !errors.Is(err, smapi.ErrNoCode) {
			return code, err
		}
		fmt.Fprintf(l.t.err, "%v; copy it anew, as a whole\n", err)
	}
}

// invite names the page to open and what it asks for.
func (l *login) invite() {
	fmt.Fprintf(l.t.err, "Open this in a browser, as a user of the developer account, and allow it:\n\n%s\n\n", l.URL())
	say(l.t.err, fmt.Sprintf("It asks for %s and comes back to %s, which is among the Allowed Return URLs of the security profile.\n",
		strings.Join(l.Scopes(), " "), l.back))
}

// try makes one call with what was issued.
func (l *login) try(ctx context.Context, issued smapi.Issued) error {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	s := l.Source(issued)
	defer s.CloseIdleConnections()
	return s.Check(ctx)
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/credsync/credsync/internal/credential"
)

// A person is who answers questions: a terminal, or lines from a pipe.
type person struct {
	in     io.Reader
	out    io.Writer
	rest   *bufio.Reader  // of in, for what shows
	screen *term.Terminal // of in and out, for what does not; nil until it is needed
}

func (t terminal) person() *person { return &person{in: t.in, out: t.err, rest: bufio.NewReader(t.in)} }

// present reports whether somebody can be asked.
func (p *person) present() bool {
	f, ok := p.in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// line asks, and returns what is typed until Enter, without spaces around it.
// The end of the input without a word is io.EOF.
//
// A read of a terminal can't be called back: where ctx ends first, it goes on
// until the process ends.
func (p *person) line(ctx context.Context, question string) (string, error) {
	fmt.Fprint(p.out, question)
	return await(ctx, func() (string, error) {
		text, err := p.rest.ReadString('\n')
		if errors.Is(err, io.EOF) && text != "" {
			err = nil
		}
		return strings.TrimSpace(text), err
	})
}

// hidden asks for a secret, which does not show on the terminal: it is silent
// before the question stands there. Ctrl-C and Ctrl-D are errInterrupted.
func (p *person) hidden(ctx context.Context, question string) (credential.Secret, error) {
	if !p.present() {
		text, err := p.line(ctx, question)
		return credential.NewSecret(text), err
	}
	f, _ := p.in.(*os.File)
	before, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return credential.Secret{}, err
	}
	// The reader may wait on, so it is not who puts the terminal in order.
	defer func() { _ = term.Restore(int(f.Fd()), before) }()
	if p.screen == nil {
		p.screen = term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{f, p.out}, "")
	}
	text, err := await(ctx, func() (string, error) { return p.screen.ReadPassword(question) })
	if errors.Is(err, io.EOF) || ctx.Err() != nil {
		fmt.Fprint(p.out, "\r\n")
		err = errInterrupted
	}
	return credential.NewSecret(strings.TrimSpace(text)), err
}

// await returns what read returns, or that ctx ended first.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		text, err := read()
		answered <- answer{text, err}
	}()
	select {
	case a := <-answered:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

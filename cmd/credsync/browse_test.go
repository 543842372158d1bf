package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// decide does at the consent page what a person does there, and returns the
// address that the browser is sent back to.
func decide(page, decision string) (string, error) {
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(page, url.Values{"decision": {decision}})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		body, _ := io.ReadAll(resp.Body)
		return "", fmt.Errorf("the page answers %s: %s", resp.Status, body)
	}
	return resp.Header.Get("Location"), nil
}

// browseMain is a browser in the hands of a person of that decision. It keeps
// the address that it ends at and the page that it sees in $BROWSED.
func browseMain(decision string) func() {
	return func() {
		to, err := decide(os.Args[1], decision)
		if err != nil {
			to = "error: " + err.Error()
		}
		var page []byte
		if resp, err := http.Get(to); err == nil {
			page, _ = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		_ = os.WriteFile(os.Getenv("BROWSED"), fmt.Appendf(nil, "%s\n%s", to, page), 0o600)
	}
}

// freePort returns a port on loopback where nobody listens.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

func portCommand(ts *testscript.TestScript, _ bool, args []string) {
	port, err := freePort()
	ts.Check(err)
	ts.Setenv(args[0], strings.TrimSpace(port))
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/wire"
)

type healthcheckCmd struct {
	URL     string        `placeholder:"URL" help:"Where the daemon listens, such as http://127.0.0.1:9464 (default: http.listen of the configuration)."`
	Live    bool          `help:"Only ask whether the process lives, not whether it is ready."`
	Timeout time.Duration `default:"3s" help:"How long to wait for an answer."`
}

// Help is what --help adds.
func (healthcheckCmd) Help() string {
	return `Asks the running daemon, for HEALTHCHECK of a Dockerfile and the like. Exit
codes: 0 it is well, 1 it is not or does not answer, 2 usage or configuration.

Examples:
  credsync healthcheck
  credsync healthcheck --live`
}

func (cmd healthcheckCmd) Run(ctx context.Context, c *cli, t terminal) error {
	daemon, err := c.daemon(cmd.URL, cmd.Timeout)
	if err != nil {
		return err
	}
	path := "/readyz"
	if cmd.Live {
		path = "/healthz"
	}
	body, err := daemon.get(ctx, path)
	if err != nil {
		return err
	}
	fmt.Fprintln(t.out, printable(strings.TrimSpace(string(body))))
	return nil
}

// A daemonClient asks a daemon that runs.
type daemonClient struct {
	base   *url.URL
	client *http.Client
}

// maxReport bounds an answer of the daemon: a thousand rows with a dozen sinks.
const maxReport = 32 << 20

// daemon returns a client of the daemon at base or, where that is empty, of the
// one that runs by the configuration.
func (c *cli) daemon(base string, timeout time.Duration) (*daemonClient, error) {
	if base == "" {
		cfg, err := config.Peek(c.Config)
		if err != nil {
			return nil, usage(err)
		}
		if base, err = ownURL(cfg); err != nil {
			return nil, usage(err)
		}
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, usage(errors.New("--url is no address of a daemon; write it as http://127.0.0.1:9464"))
	}
	return &daemonClient{u, wire.NewClient(&wire.Transport{Base: wire.NewBase(), Timeout: timeout, MaxBody: maxReport})}, nil
}

// ownURL returns where the daemon of cfg listens, as seen from this machine.
func ownURL(cfg *config.Config) (string, error) {
	if cfg.HTTP.Listen == "" {
		return "", fmt.Errorf("%s: no http.listen, so the daemon serves nothing to ask; add this line, and restart it:\nhttp: {listen: 127.0.0.1:9464}", cfg.Path)
	}
	host, port, err := net.SplitHostPort(cfg.HTTP.Listen)
	switch ip := net.ParseIP(host); {
	case err != nil:
		return "", err
	case port == "0":
		return "", fmt.Errorf("%s: http.listen has port 0, which is any; name the one that the log of the daemon tells with --url", cfg.Path)
	case host == "" || ip != nil && ip.IsUnspecified() && ip.To4() != nil:
		host = "127.0.0.1"
	case ip != nil && ip.IsUnspecified():
		host = "::1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// get returns what the daemon answers with 200 at a path. What else it answers
// is the error.
func (d *daemonClient) get(ctx context.Context, path string) ([]byte, error) {
	rel, err := url.Parse(path)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base.JoinPath(rel.Path).String()+"?"+rel.RawQuery, nil)
	if err != nil {
		return nil, err
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, d.noAnswer(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, d.noAnswer(err)
	case resp.StatusCode == http.StatusBadRequest:
		return nil, usage(errors.New(lines(body)))
	case resp.StatusCode == http.StatusServiceUnavailable:
		return nil, fmt.Errorf("not well:\n%s", lines(body))
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s%s: %s\n%s", d.base, rel.Path, resp.Status, lines(body))
	}
	return body, nil
}

// lines returns the first lines of a text, printable.
func lines(text []byte) string {
	var kept []string
	for line := range strings.Lines(string(text[:min(len(text), 4<<10)])) {
		kept = append(kept, printable(strings.TrimRight(line, "\n")))
	}
	return strings.Join(kept, "\n")
}

func (d *daemonClient) noAnswer(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("no answer in time")
	}
	return fmt.Errorf("%s: %w; is the daemon running (credsync run), with the http.listen that the configuration has now?", d.base, err)
}

package vaultkv

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"

	"github.com/credsync/credsync/internal/sink"
)

// A mount is proven to be what the configuration says before the first write to
// it, once per sink. Without that, Vault would misunderstand without a word: a
// KV version 1 mount stores a version 2 request as if it were the secret, and a
// server that knows no namespaces ignores the header and writes elsewhere.
type mount struct {
	client *client
	lock   *semaphore.Weighted
	proven atomic.Bool
}

func newMount(c *client) *mount { return &mount{client: c, lock: semaphore.NewWeighted(1)} }

// prove returns nil at once if it did so before.
func (m *mount) prove(ctx context.Context) error {
	if m.proven.Load() {
		return nil
	}
	if err := m.lock.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("%s: %w", opMountRead, ctx.Err())
	}
	defer m.lock.Release(1)
	if m.proven.Load() {
		return nil
	}
	if _, err := m.examine(ctx); err != nil {
		return err
	}
	m.proven.Store(true)
	return nil
}

// examine asks Vault what the mount is, and returns the server's time.
func (m *mount) examine(ctx context.Context) (time.Time, error) {
	r := request{method: http.MethodGet, path: "sys/internal/ui/mounts/" + m.client.routes.mount}
	a, err := m.client.call(ctx, r)
	if f, ok := notAllowed(err); ok {
		f.problem = "there is no mount of that name, or the policy grants nothing in it"
	}
	if err != nil {
		return time.Time{}, err
	}
	if err := m.compare(a); err != nil {
		return time.Time{}, err
	}
	if m.client.namespace == "" {
		return a.date, nil
	}
	return a.date, m.namespaced(ctx, r)
}

func (m *mount) compare(a answer) error {
	data, err := decode[struct {
		Path    string `json:"path"`
		Type    string `json:"type"`
		Options struct {
			Version string `json:"version"`
		} `json:"options"`
	}](a)
	if err != nil {
		return err
	}
	version := data.Options.Version
	if version == "" {
		version = "1" // a KV mount of before version 2 has no options
	}
	f := &failure{operation: opMountRead, class: sink.ErrInvalid}
	switch want := m.client.routes; {
	case data.Path == "" || data.Type == "":
		return misunderstood(a)
	case strings.Trim(data.Path, "/") != want.mount:
		f.problem = "mount goes on below a mount; set mount to what `vault secrets list` shows and put the rest before path"
	case data.Type != "kv" && data.Type != "generic":
		f.problem = "mount is not a KV secrets engine"
	case version != strconv.Itoa(want.version):
		f.problem = "the mount is KV version " + strconv.Itoa(3-want.version) + "; set version to that"
	default:
		return nil
	}
	return f
}

// namespaced makes r in a namespace below ours that can't exist. A server that
// knows namespaces has nothing to say there. One that answers all the same
// ignores the header, as Vault's open-source edition does.
func (m *mount) namespaced(ctx context.Context, r request) error {
	r.namespace = "credsync-" + uuid.NewString()
	t, err := m.client.tokens.get(ctx)
	if err != nil {
		return err
	}
	// Not by call: a token that isn't known there is no reason to log in again.
	switch _, err := m.client.send(ctx, r, t.secret); {
	case err == nil:
		return &failure{operation: opMountRead, problem: "this server knows no namespaces and would write elsewhere; remove namespace", class: sink.ErrInvalid}
	case errors.Is(err, sink.ErrDenied), errors.Is(err, sink.ErrInvalid):
		return nil
	default:
		return err
	}
}

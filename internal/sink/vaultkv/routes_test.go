package vaultkv

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRequestsAreNamed(t *testing.T) {
	server := httptest.NewServer(http.StripPrefix("/behind/a/proxy", newFake(2)))
	t.Cleanup(server.Close)
	s := (&stand{t: t, mount: "secret", version: 2, backend: server.URL}).behindProxy(plainToken)
	s.config.Address += "/behind/a/proxy/"
	var mu sync.Mutex
	var got []string
	k, err := Open(s.config, Options{Observe: func(target, operation string, _ int, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if got = append(got, operation); target != "vault_kv" {
			t.Errorf("got target %q", target)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.put(k, "a")
	if _, err := k.Orphans(t.Context(), "prod", func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"metadata.read", "mount.read", "metadata.claim", "data.write", "metadata.patch",
		"list", "metadata.read", "seal.read", "mount.read", "capabilities.read", "list", "metadata.read",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	one, two := routes{mount: "kv", version: 1}, routes{mount: "kv", version: 2}
	for _, tt := range []struct {
		routes       routes
		method, path string
		want         string
	}{
		{one, "GET", "kv/data/a", "secret.read"},
		{one, "PUT", "kv/metadata/a", "secret.write"},
		{two, "GET", "kv/other", "other"},
		{two, "GET", "sys/health", "other"},
		{two, "POST", "auth/approle/login", "login"},
		{two, "PUT", "auth/token/renew-self", "token.renew"},
		{two, "GET", "auth/token/lookup-self", "token.lookup"},
	} {
		if got := tt.routes.operation(tt.method, tt.path, false); got != tt.want {
			t.Errorf("%s %s: got %q, want %q", tt.method, tt.path, got, tt.want)
		}
	}
}

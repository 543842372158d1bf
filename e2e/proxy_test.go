package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	secretsHost = "secretsmanager." + region + ".amazonaws.com"
	stsHost     = "sts." + region + ".amazonaws.com"
)

// abroad moves all peers to where they are in the world, which only the tunnel
// leads to.
func (w *world) abroad(v *vault, a *aws, password string) *tunnel {
	w.Helper()
	t := w.behindTunnel(password)
	t.leads(w.amazon.url, "api.amazonalexa.com", "api.amazon.com")
	t.leads(v.url, "vault.example.com")
	t.leads(a.moto, secretsHost, stsHost)
	delete(w.source, "api_url")
	delete(w.source, "token_url")
	w.vaultSink()["address"] = "https://vault.example.com"
	delete(w.awsSink(), "endpoint_url")
	for _, peer := range []settings{w.source, w.vaultSink(), w.awsSink()} {
		maps.Copy(peer, t.settings())
	}
	return t
}

func (w *world) awsSink() settings { return w.sinks["aws"]["aws_secrets_manager"].(settings) }

func TestAllPeersAreReachedThroughAProxy(t *testing.T) {
	const password = "canary+proxy/password=&%"
	w := newWorld(t, 4)
	v, a := w.withVault(), w.withAWS()
	p := w.abroad(v, a, password)
	said := scan{secrets: map[string]string{password: "proxy password", "canary-wrong-password": "wrong password"}}
	sync := func() report {
		r := w.sync("--log-level", "debug")
		said.look("standard output", r.stdout)
		said.look("standard error", r.stderr)
		return r
	}
	w.want(sync(), 0, map[string]int{"created": 8})
	w.holds()
	if problem := w.checked("sink vault") + w.checked("sink aws") + w.checked("source amazon"); problem != "" {
		t.Errorf("check --online: %s", problem)
	}
	asked, _ := p.took()
	want := []string{"api.amazon.com", "api.amazonalexa.com", secretsHost, "vault.example.com"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(asked))); diff != "" {
		t.Errorf("the proxy was asked for (-want +got):\n%s", diff)
	}

	w.write("proxy-password", "canary-wrong-password")
	r := sync()
	w.want(r, 1, map[string]int{"failed": 8})
	for _, res := range r.troubles() {
		if res.Reason != "denied" || !strings.Contains(res.Error, "(status 407); set proxy.url, proxy.username and proxy.password") {
			t.Errorf("a refusal by the proxy reads %+v", res)
		}
	}
	w.write("proxy-password", password)
	w.want(sync(), 0, map[string]int{"unchanged": 8})
	said.wantNothing(t)
}

// Where nothing is configured, the environment's proxy is gone through, but for
// what NO_PROXY names and for this host.
func TestTheEnvironmentsProxyIsTheDefault(t *testing.T) {
	const password = "canaryOfTheEnvironment"
	w := newWorld(t, 2)
	v, a := w.withVault(), w.withAWS()
	p := w.abroad(v, a, password)
	for _, peer := range []settings{w.source, w.vaultSink(), w.awsSink()} {
		delete(peer, "proxy")
	}
	w.vaultSink()["address"] = v.url // on this host
	delete(w.vaultSink(), "tls")
	plain := w.env
	w.env = append(slices.Clip(plain), "HTTPS_PROXY="+strings.Replace(p.URL, "//", "//credsync:"+password+"@", 1), "HTTP_PROXY=http://127.0.0.1:1")
	r := w.wantSync(0, map[string]int{"created": 4})
	asked, _ := p.took()
	want := []string{"api.amazon.com", "api.amazonalexa.com", secretsHost}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(asked))); diff != "" {
		t.Errorf("the proxy was asked for (-want +got):\n%s", diff)
	}
	w.env = append(w.env, "NO_PROXY=.amazonaws.com.invalid,"+secretsHost)
	direct := w.sync("--only", w.amazon.skills()[0])
	if asked, _ := p.took(); asked[secretsHost] > 0 {
		t.Errorf("the proxy was asked for what NO_PROXY names: %v", asked)
	}
	w.wantReason(direct, "aws", "unavailable")
	if strings.Contains(r.stderr+r.stdout+direct.stderr+direct.stdout, password) {
		t.Error("the password shows")
	}
}

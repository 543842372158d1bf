package e2e

import (
	"errors"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// A toxic is one way in which a network fails.
type toxic struct {
	kind       string // as toxiproxy names it; or down: nothing listens any more
	attributes settings
}

const down = "down"

// ways lists what a toxic spoils: what credsync sends, what it gets, or both.
var ways = [][]string{{"upstream"}, {"downstream"}, {"upstream", "downstream"}}

// toxics are all of them. What hangs is ended by the run's own time, or by that
// of an attempt; the others by nobody.
var toxics = []toxic{
	{"latency", settings{"latency": 400, "jitter": 300}}, // in ms
	{"bandwidth", settings{"rate": 1}},                   // KB/s
	{"slow_close", settings{"delay": 3000}},
	{"timeout", settings{"timeout": 0}}, // all is swallowed, and nothing closed
	{"slicer", settings{"average_size": 12, "size_variation": 6, "delay": 1000}},
	{"limit_data", settings{"bytes": 300}}, // and then the connection ends
	{"reset_peer", settings{"timeout": 0}},
	{down, nil},
}

// A network lies between credsync and one gate, and fails on demand.
type network struct {
	*testing.T
	*toxiproxy.Proxy
	url string
}

// networks is where networks listen: not where the system takes the ports of
// connections from, since one that was down comes back where it was.
const networks = "127.0.0.2:0"

// newNetwork returns a network that leads to target, a URL of a server alone.
func newNetwork(t *testing.T, target string) *network {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	n := &network{T: t, Proxy: toxiproxy.NewProxy(server, t.Name(), networks, strings.TrimPrefix(target, "http://"))}
	if err := n.Start(); err != nil {
		t.Skipf("NOT PROVEN: no network can be had (%v): give this machine the address 127.0.0.2", err)
	}
	t.Cleanup(n.Stop)
	n.url = "http://" + n.Listen
	return n
}

// poison makes fail what goes the given ways.
func (n *network) poison(x toxic, ways []string) {
	if x.kind == down {
		n.Stop()
		return
	}
	for _, way := range ways {
		spec := encode(n.T, settings{"type": x.kind, "stream": way, "attributes": x.attributes})
		if _, err := n.Toxics.AddToxicJson(strings.NewReader(spec)); err != nil {
			n.Error(err)
		}
	}
}

// cure makes all well again.
func (n *network) cure() {
	n.Helper()
	n.Toxics.ResetToxics(n.Context())
	if err := n.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
		n.Fatal(err)
	}
}

// A peer is a server as credsync gets to it: through a network and a gate.
type peer struct {
	*network
	*gate
	// moments tell for each phase whether it begins with the nth request.
	moments map[string]func(n int, name string) bool
}

// Phases of a run, as a peer sees them.
const (
	atLook   = "look"   // the first request has come
	atWrite  = "write"  // the first write has come, and is still to be done
	atAnswer = "answer" // the first write was done, and the answer is still to come
)

var phases = []string{atLook, atWrite, atAnswer}

var peerNames = []string{"LWA", "SMAPI", "Vault", "AWS"}

// withPeers puts a network and a gate before each server. Where there is
// nothing to write, a write is a proof of a pair, or the fourth pair fetched.
func (w *world) withPeers(v *vault, a *aws) map[string]*peer {
	w.Helper()
	nth := func(want int) func(int, string) bool { return func(n int, _ string) bool { return n == want } }
	named := func(names string) func(int, string) bool {
		return func(_ int, name string) bool { return name != "" && strings.Contains(names, name) }
	}
	newPeer := func(g *gate, moments ...func(int, string) bool) *peer {
		p := &peer{newNetwork(w.T, g.URL), g, make(map[string]func(int, string) bool)}
		for i, phase := range phases {
			p.moments[phase] = moments[i]
		}
		return p
	}
	peers := map[string]*peer{
		"LWA":   newPeer(newGate(w.T, w.amazon.url, amazonCall), nth(1), nth(2), nth(2)),
		"SMAPI": newPeer(newGate(w.T, w.amazon.url, amazonCall), nth(1), nth(4), nth(4)),
		"Vault": newPeer(newGate(w.T, v.url, vaultCall), nth(1), named("POST data POST metadata PATCH metadata"), named("POST data")),
		"AWS":   newPeer(a.gate, nth(1), named("CreateSecret PutSecretValue"), named("CreateSecret UpdateSecretVersionStage")),
	}
	w.source["token_url"] = peers["LWA"].url + "/auth/o2/token"
	w.source["api_url"] = peers["SMAPI"].url
	w.vaultSink()["address"] = peers["Vault"].url
	w.sinks["aws"]["aws_secrets_manager"].(settings)["endpoint_url"] = peers["AWS"].url
	return peers
}

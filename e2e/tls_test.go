package e2e

import (
	"encoding/pem"
	"io"
	"log"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

func TestVaultIsTrustedByTheAuthorityThatIsConfigured(t *testing.T) {
	w := newWorld(t, 2)
	v := w.withVault()
	behind, err := url.Parse(v.url)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(behind))
	front.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of each handshake that we want to fail
	front.StartTLS()
	t.Cleanup(front.Close)
	w.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})))
	w.vaultSink()["address"] = front.URL

	_, mark := v.requests(0)
	r := w.wantSync(1, map[string]int{"failed": 2})
	w.wantReason(r, "vault", "unavailable")
	if seen, _ := v.requests(mark); len(seen) > 0 {
		t.Errorf("a server that is not trusted was asked: %v", seen)
	}
	w.vaultSink()["tls"] = settings{"ca_file": "ca.pem"}
	w.wantSync(0, map[string]int{"created": 2})
	w.holds()
}

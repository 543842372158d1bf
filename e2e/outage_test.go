package e2e

import "testing"

func TestWhileVaultIsSealedAWSIsServed(t *testing.T) {
	w := newWorld(t, 12)
	v, a := w.withVault(), w.withAWS()
	w.wantSync(0, map[string]int{"created": 24})
	v.must("PUT", "sys/seal", nil, nil)
	w.amazon.rotate(2)
	r := w.wantSync(3, map[string]int{"updated": 2, "unchanged": 10, "failed": 12})
	w.wantReason(r, "vault", "unavailable")
	w.holds(a)
	v.must("PUT", "sys/unseal", map[string]string{"key": v.unseal}, nil)
	w.wantSync(0, map[string]int{"updated": 2, "unchanged": 22})
	w.holds()
}

func TestWhileAWSIsDownVaultIsServed(t *testing.T) {
	w := newWorld(t, 12)
	v, a := w.withVault(), w.withAWS()
	w.wantSync(0, map[string]int{"created": 24})
	a.server.kill()
	w.amazon.rotate(2)
	r := w.wantSync(3, map[string]int{"updated": 2, "unchanged": 10, "failed": 12})
	w.wantReason(r, "aws", "unavailable")
	w.holds(v)
	a.up() // and it has lost everything
	w.wantSync(0, map[string]int{"created": 12, "unchanged": 12})
	w.holds()
}

func TestWhileAmazonIsDownNothingChanges(t *testing.T) {
	w := newWorld(t, 3)
	w.withVault()
	w.withAWS()
	w.wantSync(0, map[string]int{"created": 6})
	before := w.versions()
	w.amazon.rotate(3)
	w.amazon.fault(map[string]any{"operation": "credentials", "status": 503, "count": -1})
	r := w.wantSync(1, map[string]int{"failed": 6})
	for _, res := range r.Results {
		if res.Reason != "unavailable" {
			t.Errorf("%+v", res)
		}
	}
	w.wantVersions(before)
	w.amazon.control("DELETE", "faults", nil, nil)
	w.wantSync(0, map[string]int{"updated": 6})
	w.holds()
}

package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A refresh token that Amazon has replaced is dead. Who is killed before he has
// saved the new one has none: that is said, and nothing else is harmed.
func TestATokenLostInAKillIsSaidAndReplacedByHand(t *testing.T) {
	d := newDoomed(t, 6, 3)
	d.amazon.control("POST", "tokens?refresh=replace", nil, nil)
	d.wantSync(0, map[string]int{"created": 18})
	d.wantSync(0, map[string]int{"unchanged": 18}) // by the token that was kept
	before := d.count()
	d.renew(d.some(1)[0])
	if struck, _ := d.killed(newKiller("file: write refresh-token-amazon", 1), "sync"); !struck {
		t.Fatal("the moment did not come")
	}

	r := d.sync()
	if n := len(r.troubles()); r.code != 1 || n != 18 || r.troubles()[0].Reason != "denied" {
		t.Errorf("exit code %d, %d troubles: %v", r.code, n, r.troubles())
	}
	if diff := cmp.Diff(before, d.count()); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}

	var given client
	d.amazon.control("POST", "tokens/revoke", nil, &given)
	d.write("refresh-token", given.RefreshToken)
	d.wantSync(0, map[string]int{"updated": 3, "unchanged": 15})
	d.holds()
}

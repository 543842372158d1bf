package e2e

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/google/go-cmp/cmp"
)

// A holder is what a sink writes to, looked at past credsync.
type holder interface {
	sink() string              // its name in the configuration
	value(skill string) string // as JSON; "" = none
}

// A store is a holder with versions and marks: a server.
type store interface {
	holder
	versions(skill string) int
	alter(skill string)          // by hand; creates what is not there
	remove(skill string)         // in the way that can be taken back
	foreign(skill, owner string) // makes it somebody else's; owner "" = without a mark
}

// byHand is what a person writes into a secret that credsync keeps.
var byHand = map[string]string{"client_id": "by-hand", "client_secret": "by-hand"}

// holds checks that each of these, or else every store, holds at each skill's
// name what Amazon says, and returns the pairs.
func (w *world) holds(holders ...holder) map[string]pair {
	w.Helper()
	if len(holders) == 0 {
		for _, s := range w.stores {
			holders = append(holders, s)
		}
	}
	pairs := make(map[string]pair)
	for _, skill := range w.amazon.skills() {
		pairs[skill] = w.amazon.pair(skill)
		for _, s := range holders {
			if pairIn(s.value(skill)) != pairs[skill] {
				w.Errorf("%s does not hold what Amazon says of %s", s.sink(), skill)
			}
		}
	}
	return pairs
}

// pairIn returns what a stored value holds, or the zero pair.
func pairIn(value string) (p pair) {
	_ = json.Unmarshal([]byte(value), &p)
	return p
}

// versions returns the number of versions of each secret, by "SINK SKILL".
func (w *world) versions() map[string]int {
	w.Helper()
	n := make(map[string]int)
	for _, skill := range w.amazon.skills() {
		for _, s := range w.stores {
			n[s.sink()+" "+skill] = s.versions(skill)
		}
	}
	return n
}

// wantVersions wants the secrets of these skills, and no others, to have one more
// version in each store than before.
func (w *world) wantVersions(before map[string]int, more ...string) {
	w.Helper()
	want := maps.Clone(before)
	for _, skill := range more {
		for _, s := range w.stores {
			want[s.sink()+" "+skill]++
		}
	}
	if diff := cmp.Diff(want, w.versions()); diff != "" {
		w.Errorf("versions (-want +got):\n%s", diff)
	}
}

// uuid returns one of its own for each n.
func uuid(n int) string { return fmt.Sprintf("8a3b0000-0000-4000-8000-%012d", n) }

package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A keeper is a holder that a test may meddle with.
type keeper interface {
	holder
	versions(skill string) int
	alter(skill string)
	remove(skill string)
	erase(skill string) // as if it had never been
}

// A doomed is a world whose runs get killed. It knows all that Amazon ever said,
// and how many versions there have to be.
type doomed struct {
	*world
	rand    *rand.Rand
	starts  starter // of what is to be killed
	keepers []keeper
	gates   map[string]*gate
	origin  map[string]string // of each half of a pair: "SKILL N"
	said    map[string]int    // pairs by skill
	due     map[string]int    // versions by "SINK SKILL", once the next run is through
	stirred map[string]bool   // what does not hold yet what Amazon says, likewise
}

// newDoomed returns a world with all sinks and a gate before each server. What is
// drawn there is the nth such series.
func newDoomed(t *testing.T, skills int, series uint64) *doomed {
	t.Helper()
	w := newWorld(t, skills)
	v, a := w.withVault(), w.withAWS()
	w.withFiles("{skill_id}.json", nil)
	w.job["max_changes"] = "100%"
	d := &doomed{
		world: w, starts: startWatched, rand: rand.New(rand.NewPCG(seed(), series)), keepers: []keeper{v, a, folder{w}},
		gates:  map[string]*gate{"vault": w.gateVault(v), "aws": a.gate, "amazon": w.gateAmazon()},
		origin: make(map[string]string), said: make(map[string]int),
	}
	for _, skill := range w.amazon.skills() {
		d.heard(skill, w.amazon.pair(skill))
	}
	return d
}

func (d *doomed) heard(skill string, p pair) {
	d.said[skill]++
	from := fmt.Sprintf("%s %d", skill, d.said[skill])
	d.origin[p.ClientID], d.origin[p.ClientSecret] = from, from
}

// renew has Amazon issue a new pair for a skill: both halves change.
func (d *doomed) renew(skill string) {
	d.Helper()
	p := pair{
		ClientID:     fmt.Sprintf("amzn1.application-oa2-client.%032x", d.rand.Uint64()),
		ClientSecret: fmt.Sprintf("amzn1.oa2-cs.v1.%016x%048x", d.rand.Uint64(), d.rand.Uint64()),
	}
	d.heard(skill, p)
	d.amazon.set(skill, p)
}

// some returns n skills, drawn and in no order.
func (d *doomed) some(n int) []string {
	skills := slices.Sorted(maps.Keys(d.said))
	d.rand.Shuffle(len(skills), func(i, j int) { skills[i], skills[j] = skills[j], skills[i] })
	return skills[:n]
}

// stir gives the next run something to do of every kind, each time with other
// skills: a sixth is to be made, a third to be updated, a sixth was altered by
// hand, a sixth deleted. The audit file is rotated, so that it tells of what
// follows alone.
func (d *doomed) stir() {
	d.Helper()
	if err := os.Rename(filepath.Join(d.dir, "audit.jsonl"), filepath.Join(d.dir, "audit.jsonl.1")); err != nil {
		d.Fatal(err)
	}
	skills := d.some(len(d.said))
	sixth := len(skills) / 6
	erased, renewed, altered, removed := skills[:sixth], skills[sixth:3*sixth], skills[3*sixth:4*sixth], skills[4*sixth:5*sixth]
	writes := make(map[string]int)
	for _, skill := range renewed {
		d.renew(skill)
	}
	for _, k := range d.keepers {
		for _, skill := range erased {
			k.erase(skill)
		}
		for _, skill := range altered {
			k.alter(skill)
		}
		for _, skill := range removed {
			k.remove(skill)
		}
		for _, skill := range slices.Concat(erased, renewed, altered, removed) {
			writes[k.sink()+" "+skill] = 1
		}
		if k.sink() == "aws" { // the old version is there still, and is given its label back
			for _, skill := range slices.Concat(altered, removed) {
				writes[k.sink()+" "+skill] = 0
			}
		}
	}
	d.due, d.stirred = d.count(), make(map[string]bool)
	for name, n := range writes {
		d.due[name] += n
		d.stirred[name] = true
	}
}

// count returns the versions that there are, by "SINK SKILL".
func (d *doomed) count() map[string]int {
	d.Helper()
	n := make(map[string]int)
	for skill := range d.said {
		for _, k := range d.keepers {
			n[k.sink()+" "+skill] = k.versions(skill)
		}
	}
	return n
}

// spare is how many versions too many a kill may cost by design. Vault can't tell
// whose a version is that has no mark; of a file, a number is passed over. In AWS
// a version has its content for a name.
var spare = map[string]int{"vault": 1, "disk": 1, "aws": 0}

// extra returns the versions beyond what is due, by sink.
func (d *doomed) extra() map[string]int {
	d.Helper()
	n := make(map[string]int)
	for name, has := range d.count() {
		switch more := has - d.due[name]; {
		case more < 0:
			d.Errorf("%s has %d versions, want %d: one is missing", name, has, d.due[name])
		case more > 0:
			sink, _, _ := strings.Cut(name, " ")
			n[sink] += more
		}
	}
	return n
}

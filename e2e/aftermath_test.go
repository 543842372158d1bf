package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A tally is what kills have led to.
type tally struct {
	kills, lost, wrong, mixed int
	extra                     map[string]int // versions by sink
	most                      int            // such versions by one kill in one sink
	reconciled                int            // intents
}

func newTally() *tally { return &tally{extra: make(map[string]int)} }

func (y *tally) String() string {
	by := ""
	if y.most > 0 { // known where each kill is followed by a clean run
		by = fmt.Sprintf(", at most %d by one kill", y.most)
	}
	return fmt.Sprintf("%3d kills: %d lost, %d in a wrong place, %d mixed; extra versions: Vault %d, AWS %d, files %d%s; %d intents reconciled",
		y.kills, y.lost, y.wrong, y.mixed, y.extra["vault"], y.extra["aws"], y.extra["disk"], by, y.reconciled)
}

func (y *tally) add(more *tally) {
	y.kills, y.lost, y.wrong, y.mixed = y.kills+more.kills, y.lost+more.lost, y.wrong+more.wrong, y.mixed+more.mixed
	for sink, n := range more.extra {
		y.extra[sink] += n
	}
	y.most, y.reconciled = max(y.most, more.most), y.reconciled+more.reconciled
}

// survey looks at what every sink holds for these skills. Once a clean run has
// been, that is what Amazon says and nothing else.
func (d *doomed) survey(y *tally, clean bool, skills ...string) {
	d.Helper()
	for _, skill := range skills {
		says := d.amazon.pair(skill)
		for _, k := range d.keepers {
			has := pairIn(k.value(skill))
			id, secret := d.origin[has.ClientID], d.origin[has.ClientSecret]
			switch {
			case has == says:
			case id != secret:
				y.mixed++
				d.Errorf("%s holds for %s halves of two pairs", k.sink(), skill)
			case id != "" && !strings.HasPrefix(id, skill):
				y.wrong++
				d.Errorf("%s holds for %s the pair of another skill", k.sink(), skill)
			case clean:
				y.lost++
				d.Errorf("%s does not hold what Amazon says of %s", k.sink(), skill)
			}
		}
	}
}

// recovers makes a clean run after a kill, and checks all that has to hold then.
func (d *doomed) recovers(y *tally) {
	d.Helper()
	d.age()
	if r := d.sync(); r.code != 0 || len(r.troubles()) > 0 {
		d.Errorf("the run after a kill: exit code %d, outcomes %v, %v\n%s", r.code, r.Outcomes, r.troubles(), tail(r.stderr))
	}
	d.survey(y, true, d.some(len(d.said))...)
	d.tidy()
	d.verifyAudit()
	open, reconciled := balance(d.trail())
	if open > 0 {
		d.Errorf("%d intents have no outcome", open)
	}
	y.reconciled += reconciled
	d.wantSync(0, map[string]int{"unchanged": len(d.keepers) * len(d.said)})
}

// age makes what a crash left in the state directory old enough to be swept: what
// is young may be another process's.
func (d *doomed) age() {
	d.Helper()
	left, err := filepath.Glob(filepath.Join(d.dir, "state", ".*.tmp"))
	if err != nil {
		d.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	for _, path := range left {
		if err := os.Chtimes(path, old, old); err != nil {
			d.Fatal(err)
		}
	}
}

// tidy wants no file to be where none belongs, and the state to be whole.
func (d *doomed) tidy() {
	d.Helper()
	belong := map[string]bool{".credsync-mark.tmp": true} // holds no secret, and goes with the next write
	for skill := range d.said {
		belong[skill+".json"], belong["."+skill+".json.credsync"] = true, true
	}
	for _, file := range d.files("secrets") {
		if !belong[file] {
			d.Errorf("left over in the sink's directory: %s", file)
		}
	}
	for _, file := range d.files("state") {
		if !json.Valid([]byte(d.read(filepath.Join("state", file)))) || filepath.Ext(file) != ".json" {
			d.Errorf("left over or damaged in the state directory: %s", file)
		}
	}
}

func (d *doomed) files(dir string) (names []string) {
	d.Helper()
	list, err := fs.ReadDir(os.DirFS(d.dir), dir)
	if err != nil {
		d.Fatal(err)
	}
	for _, entry := range list {
		names = append(names, entry.Name())
	}
	return names
}

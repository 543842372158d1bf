package syncer

import (
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/source"
)

// Names are rendered whenever they are needed and not kept: a run over 100,000
// skills would hold more names than anything else. What has to be known of all of
// them at once is known by a hash.

// subject returns what templates render of e.
func (p *pass) subject(e *source.Entry) sink.Subject {
	return sink.Subject{Skill: e.Skill, Label: e.Label, Instance: p.Instance}
}

// name returns what e is called in t, or nothing where e gives no name.
func (p *pass) name(t *target, e *source.Entry) string {
	if e.Skill == "" {
		return ""
	}
	name, err := t.Names.Render(p.subject(e))
	if err != nil {
		return ""
	}
	return name
}

// enroll notes in each target the names that entries give there, and puts into
// an entry what is wrong with its own. Two skills with one name are both left
// alone, because nobody but the operator knows which of them is meant.
func (p *pass) enroll(entries []source.Entry) {
	faults := make(map[int]error) // by index; the first of each counts
	fault := func(i int, t *target, err error) {
		if faults[i] == nil {
			faults[i] = fmt.Errorf("%s: sink %s: %w", entries[i].Where, t.Name, err)
		}
	}
	for _, t := range p.targets {
		t.roll = newRoll(len(entries))
		for i := range entries {
			if entries[i].Err != nil {
				continue
			}
			name, err := t.Names.Render(p.subject(&entries[i]))
			if err != nil {
				fault(i, t, err)
				continue
			}
			t.roll.add(name)
		}
		t.roll.sort()
		p.twins(t, entries, func(i int, err error) { fault(i, t, err) })
	}
	for i, err := range faults {
		entries[i].Err = err
	}
}

// twins calls fault with each entry whose name in t is another's too.
func (p *pass) twins(t *target, entries []source.Entry, fault func(int, error)) {
	doubled := t.roll.doubled()
	if len(doubled) == 0 {
		return
	}
	first := make(map[string]int)
	for i := range entries {
		e := &entries[i]
		name := p.name(t, e)
		if e.Err != nil || name == "" || !doubled[t.roll.sum(name)] {
			continue
		}
		before, ok := first[name]
		if !ok {
			first[name] = i
			continue
		}
		err := fmt.Errorf("skills %s and %s both render to %s; give them labels or a template that tell them apart", entries[before].Skill, e.Skill, name)
		fault(before, err)
		fault(i, err)
	}
}

// A roll knows names by their hashes, in eight bytes each. That it takes a name
// for one that it knows is as likely as that hashes of 64 bits collide.
type roll struct {
	seed maphash.Seed
	sums []uint64
}

func newRoll(size int) *roll { return &roll{seed: maphash.MakeSeed(), sums: make([]uint64, 0, size)} }

func (r *roll) sum(name string) uint64 { return maphash.String(r.seed, name) }

// add puts name on the roll, which is to be sorted before it is asked.
func (r *roll) add(name string) { r.sums = append(r.sums, r.sum(name)) }

func (r *roll) sort() { slices.Sort(r.sums) }

func (r *roll) has(name string) bool {
	_, ok := slices.BinarySearch(r.sums, r.sum(name))
	return ok
}

// doubled returns the hashes that are there more than once.
func (r *roll) doubled() map[uint64]bool {
	found := make(map[uint64]bool)
	for i := 1; i < len(r.sums); i++ {
		if r.sums[i] == r.sums[i-1] {
			found[r.sums[i]] = true
		}
	}
	return found
}

// A sighting is what a listing shows of a name on the roll, as far as it can
// save a look at the sink.
type sighting struct {
	fingerprint credential.Fingerprint
	version     string
}

// mark identifies a name under the mark of a skill.
func (r *roll) mark(name string, id credential.SkillID) uint64 {
	return maphash.Comparable(r.seed, [2]string{name, string(id)})
}

package syncer

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

const (
	brakeOwned = 10   // names ours in a sink from which on the share of updates is judged
	brakeBad   = 3    // bad pairs from which on their share is judged
	brakeShare = 0.05 // of the fetched pairs that may be bad

	// brakeWindow is how long updates count: many small runs are one large one.
	brakeWindow = 24 * time.Hour
)

// A brake watches one pass for the signs of a mistake upstream: updates on a
// scale that does not happen by itself, two skills with one secret, too many
// bad pairs. It stops updates only; what is missing or was altered goes through.
type brake struct {
	key credential.FingerprintKey // of this pass alone, to compare secrets unseen

	mu           sync.Mutex
	fetched, bad int
	secrets      map[secretSum]*source.Entry
	twins        []credential.SkillID // the first two skills that got one secret
}

// A secretSum tells secrets apart by 64 bits of a hash: there is one for each
// pair that a first fill brings.
type secretSum uint64

func newBrake() *brake {
	return &brake{
		key:     credential.NewFingerprintKey(credential.NewSecret(rand.Text())),
		secrets: make(map[secretSum]*source.Entry),
	}
}

// fetch counts an answer of the source.
func (b *brake) fetch(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err == nil:
		b.fetched++
	case errors.Is(err, source.ErrInvalid):
		b.fetched++
		b.bad++
	}
}

// reject counts a fetched pair that proved to be bad.
func (b *brake) reject() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bad++
}

// renew notes that secret, which e's skill has, is new to some sink.
func (b *brake) renew(e *source.Entry, secret credential.Secret) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, _ := strconv.ParseUint(string(b.key.Sum("", "", "", secret))[:16], 16, 64) // hex digits all
	switch other, ok := b.secrets[secretSum(n)]; {
	case !ok:
		b.secrets[secretSum(n)] = e
	case other.Skill != e.Skill && b.twins == nil:
		b.twins = []credential.SkillID{other.Skill, e.Skill}
	}
}

// judge says why the held updates must not be written, or nothing.
func (p *pass) judge(updates []held) string {
	for _, t := range p.targets {
		if why := p.judgeShare(t, updates); why != "" {
			return why
		}
	}
	b := p.brake
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.twins != nil:
		return fmt.Sprintf("skills %s and %s got the same new secret", b.twins[0], b.twins[1])
	case b.bad >= brakeBad && float64(b.bad) > brakeShare*float64(b.fetched):
		return fmt.Sprintf("%d of %d fetched pairs are invalid or rejected", b.bad, b.fetched)
	}
	return ""
}

// judgeShare says why t must not get so many updates. Those of the last 24
// hours count too, and a pass over a few skills is held against all names that
// the last whole look found ours.
func (p *pass) judgeShare(t *target, updates []held) string {
	due, rekeyed := 0, 0
	for _, h := range updates {
		if h.target != t {
			continue
		}
		due++
		if h.rekeyed {
			rekeyed++
		}
	}
	known, recent := p.Memory.recall(p.place(t))
	owned := max(known, int(t.owned.Load()))
	// The margin keeps a share that is met exactly on the right side of what
	// floating point makes of 29 %.
	if due == 0 || owned < brakeOwned || float64(due+recent) <= p.job.MaxChanges*float64(owned)+1e-9 {
		return ""
	}
	why := fmt.Sprintf("%d of %d secrets in sink %s would be updated; max_changes allows %.4g %%", due, owned, t.Name, 100*p.job.MaxChanges)
	if recent > 0 {
		why += fmt.Sprintf(" in 24 h, and %d were updated already", recent)
	}
	if rekeyed > 0 {
		why += fmt.Sprintf(" (%d of all because fingerprint_key changed, whatever Amazon says)", rekeyed)
	}
	return why
}

// planID names a set of updates, and puts it in the order that it is named in:
// 16 hex digits of a hash over each one's job, sink, name, previous version and
// new fingerprint, sorted.
func (p *pass) planID(updates []held) string {
	slices.SortFunc(updates, func(a, b held) int {
		return cmp.Or(cmp.Compare(a.target.Name, b.target.Name), cmp.Compare(p.name(a.target, a.entry), p.name(b.target, b.entry)))
	})
	sum := sha256.New()
	for i, h := range updates {
		w, err := p.resume(h)
		if err != nil { // it could be made before
			continue
		}
		if i > 0 {
			sum.Write([]byte("\n"))
		}
		sum.Write([]byte(strings.Join([]string{p.job.Name, w.target.Name, w.name, w.prev.Version, string(w.record.Fingerprint)}, "\x00")))
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

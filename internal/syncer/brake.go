package syncer

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
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
	secrets      map[credential.Fingerprint]credential.SkillID
	twins        []credential.SkillID // the first two skills that got one secret
}

func newBrake() *brake {
	return &brake{
		key:     credential.NewFingerprintKey(credential.NewSecret(rand.Text())),
		secrets: make(map[credential.Fingerprint]credential.SkillID),
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

// renew notes that pair is new to some sink.
func (b *brake) renew(pair credential.Credential) {
	b.mu.Lock()
	defer b.mu.Unlock()
	sum := b.key.Sum("", "", "", pair.ClientSecret)
	switch other, ok := b.secrets[sum]; {
	case !ok:
		b.secrets[sum] = pair.Skill
	case other != pair.Skill && b.twins == nil:
		b.twins = []credential.SkillID{other, pair.Skill}
	}
}

// judge says why the updates in held must not be written, or nothing.
func (p *pass) judge(held []*work) string {
	for _, t := range p.targets {
		if why := p.judgeShare(t, held); why != "" {
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
func (p *pass) judgeShare(t *target, held []*work) string {
	updates, rekeyed := 0, 0
	for _, w := range held {
		if w.target != t {
			continue
		}
		updates++
		if w.prev.Key != "" && w.prev.Key != w.record.Key {
			rekeyed++
		}
	}
	known, recent := p.Memory.recall(p.place(t))
	owned := max(known, int(t.owned.Load()))
	// The margin keeps a share that is met exactly on the right side of what
	// floating point makes of 29 %.
	if updates == 0 || owned < brakeOwned || float64(updates+recent) <= p.job.MaxChanges*float64(owned)+1e-9 {
		return ""
	}
	why := fmt.Sprintf("%d of %d secrets in sink %s would be updated; max_changes allows %.4g %%", updates, owned, t.Name, 100*p.job.MaxChanges)
	if recent > 0 {
		why += fmt.Sprintf(" in 24 h, and %d were updated already", recent)
	}
	if rekeyed > 0 {
		why += fmt.Sprintf(" (%d of all because fingerprint_key changed, whatever Amazon says)", rekeyed)
	}
	return why
}

// planID names a set of updates: 16 hex digits of a hash over each one's job,
// sink, name, previous version and new fingerprint, in sorted order.
func planID(job string, updates []*work) string {
	lines := make([]string, len(updates))
	for i, w := range updates {
		lines[i] = strings.Join([]string{job, w.target.Name, w.name(), w.prev.Version, string(w.record.Fingerprint)}, "\x00")
	}
	slices.SortFunc(lines, cmp.Compare[string])
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:8])
}

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

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

const (
	brakeOwned = 10   // names ours in a sink from which on the share of updates is judged
	brakeBad   = 3    // bad pairs from which on their share is judged
	brakeShare = 0.05 // of the fetched pairs that may be bad
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
func (b *brake) judge(maxChanges float64, held []*work) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	updates := make(map[*target]int)
	rekeyed := 0
	for _, w := range held {
		updates[w.target]++
		if w.prev.Key != "" && w.prev.Key != w.record.Key {
			rekeyed++
		}
	}
	for t, n := range updates {
		owned := int(t.owned.Load())
		if owned < brakeOwned || float64(n) <= maxChanges*float64(owned) {
			continue
		}
		why := fmt.Sprintf("%d of %d secrets in sink %s would be updated; max_changes allows %.4g %%", n, owned, t.Name, 100*maxChanges)
		if rekeyed > 0 {
			why += fmt.Sprintf(" (%d of all because fingerprint_key changed, whatever Amazon says)", rekeyed)
		}
		return why
	}
	switch {
	case b.twins != nil:
		return fmt.Sprintf("skills %s and %s got the same new secret", b.twins[0], b.twins[1])
	case b.bad >= brakeBad && float64(b.bad) > brakeShare*float64(b.fetched):
		return fmt.Sprintf("%d of %d fetched pairs are invalid or rejected", b.bad, b.fetched)
	}
	return ""
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

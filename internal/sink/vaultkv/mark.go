package vaultkv

import (
	"strconv"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// The keys of our mark: in version 2 of the custom metadata, in version 1 of the
// secret itself.
const (
	keyOwner       = "credsync_owner"
	keySkill       = "credsync_skill"
	keyVersion     = "credsync_version"
	keyCreated     = "credsync_created"
	keyFingerprint = "credsync_fingerprint"
	keyKey         = "credsync_key"
	keyReplaced    = "credsync_replaced" // creation time of the version before; version 2 only
	keyDigest      = "credsync_digest"   // version 1 only
)

var markKeys = []string{keyOwner, keySkill, keyVersion, keyCreated, keyFingerprint, keyKey, keyReplaced, keyDigest}

// What stands in place of a fingerprint. Vault takes no empty values.
const (
	claimed   = "none"    // never confirmed since the claim
	uncertain = "unknown" // ours, but not what is stored now
)

// A mark is what we leave beside a value.
type mark map[string]string

// claimMark is the mark of a path that is to be ours and holds nothing yet.
func claimMark(o sink.Owner) mark {
	return mark{keyOwner: o.Instance, keySkill: string(o.Skill), keyVersion: "0", keyFingerprint: claimed}
}

// adoptMark makes o the owner of a value that we don't know.
func adoptMark(o sink.Owner) mark {
	return mark{keyOwner: o.Instance, keySkill: string(o.Skill), keyVersion: "0", keyFingerprint: uncertain}
}

// confirmMark says that version w holds what r says, and what it was to replace.
// It names no owner, so that it claims nothing where it comes too late.
func confirmMark(r sink.Record, w written, prev sink.State) mark {
	m := mark{keyVersion: strconv.Itoa(w.Version), keyCreated: w.Created, keyFingerprint: string(r.Fingerprint), keyKey: r.Key}
	if prev.Version != "" {
		m[keyReplaced] = prev.Ref
	}
	return m
}

// owner returns whom m names, or the zero Owner if that is nobody we could be.
func (m mark) owner() sink.Owner {
	skill, err := credential.ParseSkillID(m[keySkill])
	if err != nil || m[keyOwner] == "" {
		return sink.Owner{}
	}
	return sink.Owner{Instance: m[keyOwner], Skill: skill}
}

// fingerprint returns that which m holds, if it holds one.
func (m mark) fingerprint() credential.Fingerprint {
	if f := credential.Fingerprint(m[keyFingerprint]); f.Valid() {
		return f
	}
	return ""
}

// pairs returns m in the shape of a patch.
func (m mark) pairs() map[string]*string {
	pairs := make(map[string]*string, len(m))
	for key, value := range m {
		pairs[key] = &value
	}
	return pairs
}

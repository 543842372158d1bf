package vaultkv

import (
	"strconv"
	"time"

	"github.com/credsync/credsync/internal/sink"
)

// metadata is what Vault knows of a secret besides its values.
type metadata struct {
	Created  string             `json:"created_time"`
	Current  *int               `json:"current_version"`
	Custom   mark               `json:"custom_metadata"`
	Versions map[string]version `json:"versions"`
	asOf     time.Time
}

type version struct {
	Created   string `json:"created_time"`
	Deletion  string `json:"deletion_time"`
	Destroyed bool   `json:"destroyed"`
}

// sound reports whether m has what each answer of Vault's has.
func (m metadata) sound() bool {
	if m.Created == "" || m.Current == nil {
		return false
	}
	_, ok := m.Versions[strconv.Itoa(*m.Current)]
	return ok || *m.Current == 0
}

// state returns m as the engine sees it.
func (m metadata) state() sink.State {
	if m.Current == nil {
		return sink.State{}
	}
	s := sink.State{Owner: m.Custom.owner(), Ref: m.Created}
	if *m.Current == 0 {
		s.Exists = s.Owner.IsZero()
		return s
	}
	number := strconv.Itoa(*m.Current)
	current := m.Versions[number]
	s.Exists, s.Version, s.Ref = true, number, current.Created
	s.Deleted = current.gone(m.asOf)
	if m.trespassed() {
		s.Owner = sink.Owner{}
	}
	if s.Owner.IsZero() || s.Deleted || m.Custom[keyVersion] != number || m.Custom[keyCreated] != current.Created || m.mistaken() {
		return s
	}
	if s.Fingerprint = m.Custom.fingerprint(); s.Fingerprint != "" {
		s.Key = m.Custom[keyKey]
	}
	return s
}

// trespassed reports whether our mark stands on what others gave birth to. We
// claim before we write: a secret whose own time is that of its first version
// was born by a write of data, and a claim of it that was never confirmed hit it
// from behind. Where the first version is no longer listed, nothing speaks for
// us.
func (m metadata) trespassed() bool {
	if m.Current == nil || *m.Current == 0 || m.Custom[keyFingerprint] != claimed {
		return false
	}
	first, ok := m.Versions["1"]
	return !ok || first.Created == m.Created
}

// mistaken reports whether our version replaced another than that which we had
// seen: its namesake in a secret that was made anew meanwhile, with our map
// copied. Check-and-set compares numbers alone. A version that is no longer
// listed tells nothing.
func (m metadata) mistaken() bool {
	saw, ok := m.Custom[keyReplaced]
	before, listed := m.Versions[strconv.Itoa(*m.Current-1)]
	return ok && listed && before.Created != saw
}

// expires returns when Vault is going to delete the current version, and whether
// it is.
func (m metadata) expires() (time.Time, bool) {
	if m.Current == nil {
		return time.Time{}, false
	}
	v := m.Versions[strconv.Itoa(*m.Current)]
	at, err := time.Parse(time.RFC3339Nano, v.Deletion)
	return at, err == nil && !v.gone(m.asOf)
}

// gone reports whether v is deleted as of the server's time now, which a Date
// header tells to the second. A deletion time lies in the future where the mount
// or the secret has a delete_version_after.
func (v version) gone(now time.Time) bool {
	deletion, err := time.Parse(time.RFC3339Nano, v.Deletion)
	return v.Destroyed || err == nil && !deletion.Truncate(time.Second).After(now)
}

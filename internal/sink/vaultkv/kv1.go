package vaultkv

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"golang.org/x/sync/semaphore"

	"github.com/credsync/credsync/internal/sink"
)

// kv1 is the engine of KV version 1, which keeps one value per path and nothing
// beside it. So our mark stands among the fields of the secret, values have to be
// read, and each write follows a read at once, which is as near as one gets to
// check-and-set: who writes between the two is overwritten. A write that fails is
// left to the next run, which reads again before it writes.
//
// The mark has a digest of the other fields, so that a hand edit shows. It is no
// keyed one: whoever may read it may read the fields.
//
// State.Version counts our own writes. State.Ref is what a write compares: a sum
// of all fields under a key that only this process has.
type kv1 struct {
	client *client
	key    []byte
	writes *semaphore.Weighted // one at a time, so that ours don't meet each other
}

func newKV1(c *client) *kv1 {
	k := &kv1{client: c, key: make([]byte, sha256.Size), writes: semaphore.NewWeighted(1)}
	_, _ = rand.Read(k.key) // never fails
	return k
}

// fields are those of a stored secret, as Vault writes them.
type fields map[string]any

// Inspect reads the secret.
func (k *kv1) Inspect(ctx context.Context, name string) (sink.State, error) {
	f, err := k.read(ctx, name)
	return k.state(f), err
}

// Put reads again and writes.
func (k *kv1) Put(ctx context.Context, name string, r sink.Record, prev sink.State) (sink.State, error) {
	body, ok := parse([]byte(r.Body.Reveal()))
	if !ok || len(body.mark()) > 0 {
		return sink.State{}, &failure{operation: opSecretWrite, problem: "the value is not a JSON object, or has a field named like our mark", class: sink.ErrInvalid}
	}
	return k.replace(ctx, name, prev, func(now sink.State, _ fields) (fields, error) {
		switch {
		case now != prev:
			return nil, moved(now, r.Owner)
		case now.Fingerprint != "" && now.Fingerprint == r.Fingerprint:
			return nil, nil
		}
		count, _ := strconv.Atoi(now.Version)
		return body.marked(mark{
			keyOwner: r.Owner.Instance, keySkill: string(r.Owner.Skill), keyVersion: strconv.Itoa(count + 1),
			keyFingerprint: string(r.Fingerprint), keyKey: r.Key, keyDigest: body.digest(),
		}), nil
	})
}

// Adopt writes our mark into the secret, beside the fields that it read.
func (k *kv1) Adopt(ctx context.Context, name string, owner sink.Owner, prev sink.State) (sink.State, error) {
	return k.replace(ctx, name, prev, func(now sink.State, stored fields) (fields, error) {
		switch {
		case now != prev:
			return nil, moved(now, now.Owner)
		case now.Owner == owner:
			return nil, nil
		}
		m := adoptMark(owner)
		m[keyDigest] = uncertain
		return stored.values().marked(m), nil
	})
}

// replace stores what change makes of the secret as it is now; nil leaves it.
func (k *kv1) replace(ctx context.Context, name string, prev sink.State, change func(sink.State, fields) (fields, error)) (sink.State, error) {
	if err := k.writes.Acquire(ctx, 1); err != nil {
		return sink.State{}, fmt.Errorf("%s: %w", opSecretWrite, ctx.Err())
	}
	defer k.writes.Release(1)
	stored, err := k.read(ctx, name)
	if err != nil {
		return sink.State{}, err
	}
	next, err := change(k.state(stored), stored)
	switch {
	case err != nil:
		return sink.State{}, err
	case next == nil:
		return prev, nil
	}
	_, err = k.client.call(ctx, request{method: http.MethodPut, path: k.client.routes.secret(name), body: encodeJSON(next), once: true})
	if err != nil {
		return sink.State{}, err
	}
	return k.state(next), nil
}

// read returns what is stored at name, nil for nothing.
func (k *kv1) read(ctx context.Context, name string) (fields, error) {
	a, err := k.client.call(ctx, request{method: http.MethodGet, path: k.client.routes.secret(name)})
	if errors.Is(err, errAbsent) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := decode[json.RawMessage](a)
	if err != nil {
		return nil, err
	}
	f, ok := parse(data)
	if !ok {
		return nil, misunderstood(a)
	}
	return f, nil
}

func (k *kv1) state(f fields) sink.State {
	if f == nil {
		return sink.State{}
	}
	m := f.mark()
	mac := hmac.New(sha256.New, k.key)
	mac.Write(f.canonical())
	s := sink.State{Exists: true, Owner: m.owner(), Ref: hex.EncodeToString(mac.Sum(nil))}
	if s.Owner.IsZero() {
		return s
	}
	s.Version = m[keyVersion]
	if m[keyDigest] == f.values().digest() {
		s.Fingerprint = m.fingerprint()
	}
	if s.Fingerprint != "" {
		s.Key = m[keyKey]
	}
	return s
}

// parse reads an object, its numbers as they are written.
func parse(object []byte) (fields, bool) {
	var f fields
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	return f, d.Decode(&f) == nil && f != nil
}

// mark returns our part of f.
func (f fields) mark() mark {
	m := make(mark)
	for _, key := range markKeys {
		if v, ok := f[key].(string); ok {
			m[key] = v
		}
	}
	return m
}

// values returns f without our part.
func (f fields) values() fields {
	v := maps.Clone(f)
	for _, key := range markKeys {
		delete(v, key)
	}
	return v
}

// marked returns f with m as our part.
func (f fields) marked(m mark) fields {
	all := maps.Clone(f)
	for key, value := range m {
		all[key] = value
	}
	return all
}

// canonical returns f as JSON, the same for the same fields.
func (f fields) canonical() []byte {
	b, err := json.Marshal(f)
	if err != nil {
		return nil // not reached: f came from JSON
	}
	return b
}

func (f fields) digest() string {
	sum := sha256.Sum256(f.canonical())
	return hex.EncodeToString(sum[:])
}

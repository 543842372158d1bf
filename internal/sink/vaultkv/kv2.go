package vaultkv

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// kv2 is the engine of KV version 2.
type kv2 struct{ client *client }

// Inspect reads the metadata.
func (k *kv2) Inspect(ctx context.Context, name string) (sink.State, error) {
	m, err := k.read(ctx, name)
	switch {
	case errors.Is(err, errAbsent):
		return sink.State{}, nil
	case err != nil:
		return sink.State{}, err
	}
	return m.state(), nil
}

// Put goes through the steps that prev leaves to be done: claim, write under
// check-and-set, confirm.
func (k *kv2) Put(ctx context.Context, name string, r sink.Record, prev sink.State) (sink.State, error) {
	cas, _ := strconv.Atoi(prev.Version) // 0 where there is none
	var err error
	switch {
	case prev.Owner.IsZero():
		err = k.claim(ctx, name, r.Owner)
	case !prev.Exists:
		// claimed and empty: to be filled
	case prev.Fingerprint == "":
		// To be repaired. A token that can't patch must fail here, or each run
		// would leave a version that it can't confirm. The patch is empty: one
		// that says anything may come after the confirmation of somebody faster.
		err = k.patch(ctx, name, nil)
	case prev.Fingerprint == r.Fingerprint:
		return k.confirm(ctx, name, prev)
	}
	if err != nil {
		return sink.State{}, err
	}
	w, err := k.write(ctx, name, r.Body, cas)
	if errors.Is(err, sink.ErrConflict) && prev.Owner.IsZero() {
		_ = k.release(ctx, name) // what it fails to take back is not believed either
	}
	if err != nil {
		return sink.State{}, err
	}
	if w.Custom.owner() != r.Owner {
		return sink.State{}, &failure{operation: opDataWrite, problem: "our mark is gone", class: sink.ErrConflict}
	}
	if err := k.patch(ctx, name, confirmMark(r, w, prev).pairs()); err != nil {
		return sink.State{}, err
	}
	return sink.State{Exists: true, Owner: r.Owner, Fingerprint: r.Fingerprint, Key: r.Key, Version: strconv.Itoa(w.Version), Ref: w.Created}, nil
}

// confirm returns prev if that is what still stands at name.
func (k *kv2) confirm(ctx context.Context, name string, prev sink.State) (sink.State, error) {
	now, err := k.Inspect(ctx, name)
	if err == nil && now != prev {
		err = moved(now, prev.Owner)
	}
	if err != nil {
		return sink.State{}, err
	}
	return now, nil
}

// Adopt patches owner and skill in.
func (k *kv2) Adopt(ctx context.Context, name string, owner sink.Owner, prev sink.State) (sink.State, error) {
	now, err := k.Inspect(ctx, name)
	switch {
	case err != nil:
		return sink.State{}, err
	case now != prev:
		return sink.State{}, moved(now, now.Owner)
	case now.Owner == owner:
		return now, nil
	}
	if err := k.patch(ctx, name, adoptMark(owner).pairs()); err != nil {
		return sink.State{}, err
	}
	now.Exists, now.Owner, now.Fingerprint, now.Key = now.Version != "", owner, "", ""
	return now, nil
}

// claim makes name ours before anything is there. The policy refuses that where
// something is: then another look tells what. Where nothing is, it may have gone
// in between, so only a second refusal is about our rights.
func (k *kv2) claim(ctx context.Context, name string, owner sink.Owner) error {
	body := encodeJSON(map[string]any{"custom_metadata": claimMark(owner)})
	for again := true; ; again = false {
		_, denied := k.client.call(ctx, request{method: http.MethodPost, path: k.client.routes.metadata(name), body: body})
		if !errors.Is(denied, sink.ErrDenied) {
			return denied
		}
		now, err := k.Inspect(ctx, name)
		switch {
		case err != nil:
			return err
		case now == sink.State{} && again:
		case now == sink.State{}:
			return denied
		case !now.Exists && now.Owner == owner:
			return nil // by an attempt of ours whose answer was lost, or by our twin: check-and-set decides
		default:
			return moved(now, owner)
		}
	}
}

// release takes our pairs back from a secret that somebody else gave birth to
// while we claimed it. With a token that may update metadata the claim can hit
// such a secret. One that we did claim first is left as it is.
func (k *kv2) release(ctx context.Context, name string) error {
	m, err := k.read(ctx, name)
	if err != nil || !m.trespassed() {
		return err
	}
	pairs := make(map[string]*string)
	for _, key := range markKeys {
		pairs[key] = nil
	}
	return k.patch(ctx, name, pairs)
}

// patch merges pairs into the custom metadata; nil removes a key. Vault can't
// make that conditional.
func (k *kv2) patch(ctx context.Context, name string, pairs map[string]*string) error {
	body := encodeJSON(map[string]any{"custom_metadata": pairs})
	if len(pairs) == 0 {
		body = encodeJSON(struct{}{})
	}
	_, err := k.client.call(ctx, request{method: http.MethodPatch, path: k.client.routes.metadata(name), body: body})
	if errors.Is(err, errAbsent) {
		return &failure{operation: opMetadataPatch, problem: "the secret is gone", class: sink.ErrConflict}
	}
	return err
}

// write stores body as the version after cas.
func (k *kv2) write(ctx context.Context, name string, body credential.Secret, cas int) (written, error) {
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(body.Reveal()), &object) != nil || object == nil {
		return written{}, &failure{operation: opDataWrite, problem: "the value is not a JSON object", class: sink.ErrInvalid}
	}
	payload := encodeJSON(map[string]any{"options": map[string]int{"cas": cas}, "data": object})
	a, err := k.client.call(ctx, request{method: http.MethodPost, path: k.client.routes.data(name), body: payload})
	if _, denied := notAllowed(err); denied {
		err = k.orGone(ctx, name, err)
	}
	if err != nil {
		return written{}, err
	}
	w, err := decode[written](a)
	if err == nil && (w.Version != cas+1 || w.Created == "") {
		err = misunderstood(a)
	}
	return w, err
}

// orGone returns why a write was denied: with the right to update and not to
// create, Vault denies it where the secret and its metadata have gone since the
// look, which has nothing to do with our rights.
func (k *kv2) orGone(ctx context.Context, name string, denied error) error {
	switch now, err := k.Inspect(ctx, name); {
	case err != nil:
		return err
	case now == sink.State{}:
		return &failure{operation: opDataWrite, problem: "the secret is gone", class: sink.ErrConflict}
	}
	return denied
}

// written is what Vault says about a version that it has stored.
type written struct {
	Version int    `json:"version"`
	Created string `json:"created_time"`
	Custom  mark   `json:"custom_metadata"`
}

func (k *kv2) read(ctx context.Context, name string) (metadata, error) {
	a, err := k.client.call(ctx, request{method: http.MethodGet, path: k.client.routes.metadata(name)})
	if err != nil {
		return metadata{}, err
	}
	m, err := decode[metadata](a)
	if err == nil && !m.sound() {
		err = misunderstood(a)
	}
	m.asOf = a.date
	return m, err
}

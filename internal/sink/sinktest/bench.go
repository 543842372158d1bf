package sinktest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// instance is the owner that the suite writes as.
const instance = "prod"

// A bench is the harness of one case with the shorthands that cases are written
// in. The n-th name belongs to the n-th skill. Whatever error passes through it
// is searched for the secrets that the case has used.
type bench struct {
	*testing.T
	h        Harness
	key      credential.FingerprintKey
	canaries []string
}

func newBench(t *testing.T, h Harness) *bench {
	b := &bench{T: t, h: h}
	if h.Fail != nil {
		t.Cleanup(func() { h.Fail(t, Failure{}) })
	}
	return b
}

func (b *bench) name(n int) string {
	if b.h.Name != nil {
		return b.h.Name(n)
	}
	return "alexa/" + string(skill(n))
}

func skill(n int) credential.SkillID {
	return credential.SkillID(fmt.Sprintf("amzn1.ask.skill.00000000-0000-4000-8000-%012d", n))
}

func owner(n int) sink.Owner { return sink.Owner{Instance: instance, Skill: skill(n)} }

// record returns the record of the n-th skill with a secret made of label.
func (b *bench) record(n int, label string) sink.Record {
	b.Helper()
	return b.recordAt(b.name(n), owner(n), secret(label))
}

// recordAt returns the record of any owner at any name, with value as secret.
func (b *bench) recordAt(name string, o sink.Owner, value string) sink.Record {
	b.Helper()
	b.canaries = append(b.canaries, value)
	r, err := b.h.Form.Record(b.key, o, name, []sink.Field{
		{Name: "client_id", Value: credential.NewSecret("amzn1.application-oa2-client.0123456789abcdef")},
		{Name: "client_secret", Value: credential.NewSecret(value)},
	})
	if err != nil {
		b.Fatalf("the form can't encode a record: %v", err)
	}
	return r
}

// secret returns a client secret that label tells apart from others, with
// characters that each encoding writes in its own way.
func secret(label string) string { return `amzn1.oa2-cs.v1.canary "<` + label + `>" & +/=~$x` }

func (b *bench) inspect(n int) sink.State {
	b.Helper()
	return b.inspectAt(b.name(n))
}

func (b *bench) inspectAt(name string) sink.State {
	b.Helper()
	s, err := b.h.Sink.Inspect(b.Context(), name)
	b.redacted(err)
	if err != nil {
		b.Fatalf("Inspect: %v", err)
	}
	return s
}

func (b *bench) put(n int, r sink.Record, prev sink.State) sink.State {
	b.Helper()
	return b.putAt(b.name(n), r, prev)
}

func (b *bench) putAt(name string, r sink.Record, prev sink.State) sink.State {
	b.Helper()
	s, err := b.h.Sink.Put(b.Context(), name, r, prev)
	b.redacted(err)
	if err != nil {
		b.Fatalf("Put: %v", err)
	}
	return s
}

// create stores the n-th skill's record made of label where nothing is.
func (b *bench) create(n int, label string) (sink.Record, sink.State) {
	b.Helper()
	r := b.record(n, label)
	return r, b.put(n, r, b.inspect(n))
}

// refused puts r and wants an error that wraps one of want and a backend that
// holds afterwards what it held before.
func (b *bench) refused(n int, r sink.Record, prev sink.State, want ...error) {
	b.Helper()
	before := b.stored(n)
	_, err := b.h.Sink.Put(b.Context(), b.name(n), r, prev)
	b.wantError("Put", err, want...)
	b.untouched(n, before)
}

// untouched wants the backend to hold what it held before.
func (b *bench) untouched(n int, before Stored) {
	b.Helper()
	if diff := cmp.Diff(before, b.stored(n)); diff != "" {
		b.Errorf("the backend was changed (-before +now):\n%s", diff)
	}
}

// wantError wants err to wrap one of want and to hold no secret.
func (b *bench) wantError(operation string, err error, want ...error) {
	b.Helper()
	b.redacted(err)
	for _, w := range want {
		if errors.Is(err, w) {
			return
		}
	}
	b.Errorf("%s: got error %v, want one of %q", operation, err, want)
}

// current wants the n-th name to hold r, in the backend and by its State.
func (b *bench) current(n int, r sink.Record) {
	b.Helper()
	b.holds(b.name(n), r)
	s := b.inspect(n)
	got := sink.State{Exists: s.Exists, Owner: s.Owner, Fingerprint: s.Fingerprint, Key: s.Key, Deleted: s.Deleted, Guard: s.Guard}
	if diff := cmp.Diff(sink.State{Exists: true, Owner: r.Owner, Fingerprint: r.Fingerprint, Key: r.Key}, got); diff != "" {
		b.Errorf("Inspect (-want +got):\n%s", diff)
	}
	if s.Version == "" {
		b.Error("Inspect: a value that exists has no version")
	}
}

// holds wants the backend to hold exactly the body of r at name.
func (b *bench) holds(name string, r sink.Record) {
	b.Helper()
	switch s := b.h.Stored(b.T, name); {
	case !s.Exists:
		b.Errorf("%s: nothing is stored", name)
	case !r.Body.Equal(credential.NewSecret(s.Body)):
		b.Errorf("%s: the bytes stored are not those of the record", name)
	}
}

func (b *bench) stored(n int) Stored {
	b.Helper()
	return b.h.Stored(b.T, b.name(n))
}

// fail makes the backend fail, or skips the case where it can't.
func (b *bench) fail(f Failure) {
	b.Helper()
	if b.h.Fail == nil {
		b.Skip("not proven: the harness has no Fail")
	}
	b.h.Fail(b.T, f)
}

// heal ends what fail began.
func (b *bench) heal() {
	b.Helper()
	b.fail(Failure{})
}

// over returns a context that is over already, by cause.
func (b *bench) over(cause error) context.Context {
	if errors.Is(cause, context.DeadlineExceeded) {
		ctx, cancel := context.WithTimeout(b.Context(), -1)
		cancel()
		return ctx
	}
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	return ctx
}

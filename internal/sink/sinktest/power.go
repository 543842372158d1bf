package sinktest

import (
	"fmt"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/sink"
)

// The powers that a sink may have: to list, to find orphans, to be checked. The
// cases of one that it lacks are skipped.

var powers = []testCase{
	{"a listing of nothing is empty", func(b *bench) { b.lists(instance, nil) }},
	{"a listing has all that is ours and nothing else", func(b *bench) {
		b.population()
		b.lists(instance, []int{1, 2, 3})
	}},
	{"a listing is of one instance exactly", func(b *bench) {
		b.population()
		b.lists(instance+"2", []int{4})
		b.lists(instance[:len(instance)-1], nil)
	}},
	{"a listing shows what was altered as altered", func(b *bench) {
		b.lister()
		b.create(1, "a")
		b.h.Tamper(b.T, b.name(1))
		b.lists(instance, []int{1})
	}},
	{"a listing that fails is an error", func(b *bench) {
		l := b.lister()
		b.create(1, "a")
		b.fail(Failure{Kind: Unavailable, Times: -1})
		err := l.List(b.Context(), instance, func(string, sink.State) {})
		b.wantError("List", err, sink.ErrUnavailable)
	}},
	{"orphans are what is ours at names not known", func(b *bench) {
		b.population()
		b.orphans(instance, map[string]bool{b.name(1): true, b.name(3): true}, []int{2})
		b.orphans(instance, map[string]bool{b.name(1): true, b.name(2): true, b.name(3): true}, nil)
	}},
	{"orphans are of one instance exactly", func(b *bench) {
		b.population()
		b.orphans(instance+"2", nil, []int{4})
		b.orphans(instance[:len(instance)-1], nil, nil)
	}},
	{"a search for orphans that fails is an error", func(b *bench) {
		o, ok := b.h.Sink.(sink.Orphaner)
		if !ok {
			b.Skip("the sink finds no orphans")
		}
		b.create(1, "a")
		b.fail(Failure{Kind: Unavailable, Times: -1})
		_, err := o.Orphans(b.Context(), instance, none)
		b.wantError("Orphans", err, sink.ErrUnavailable)
	}},
	{"a check of what works says that it does and writes nothing", func(b *bench) {
		_, err := b.checker().Check(b.Context())
		b.wantNoError("Check", err)
		b.untouched(1, Stored{})
	}},
	{"a check says what is denied", func(b *bench) {
		c := b.checker()
		b.fail(Failure{Kind: Denied, Times: -1})
		_, err := c.Check(b.Context())
		b.wantError("Check", err, sink.ErrDenied)
	}},
}

// none is that no name is known.
func none(string) bool { return false }

func (b *bench) lister() sink.Lister {
	b.Helper()
	l, ok := b.h.Sink.(sink.Lister)
	if !ok {
		b.Skip("the sink can't list")
	}
	return l
}

func (b *bench) checker() sink.Checker {
	b.Helper()
	c, ok := b.h.Sink.(sink.Checker)
	if !ok {
		b.Skip("the sink has no check")
	}
	return c
}

// population stores three secrets of ours, one of an instance whose name begins
// like ours, and one that bears no mark.
func (b *bench) population() {
	b.Helper()
	for n := 1; n <= 3; n++ {
		b.create(n, fmt.Sprint(n))
	}
	r := b.recordAt(b.name(4), sink.Owner{Instance: instance + "2", Skill: skill(4)}, secret("4"))
	b.put(4, r, sink.State{})
	b.h.Foreign(b.T, b.name(5), "")
}

// lists wants the listing of an instance to be the states of these names.
func (b *bench) lists(of string, names []int) {
	b.Helper()
	got := make(map[string]sink.State)
	err := b.lister().List(b.Context(), of, func(name string, s sink.State) { got[name] = s })
	b.wantNoError("List", err)
	b.wantStates(got, names)
}

// orphans wants the orphans of an instance to be the states of these names.
func (b *bench) orphans(of string, known map[string]bool, names []int) {
	b.Helper()
	o, ok := b.h.Sink.(sink.Orphaner)
	if !ok {
		b.Skip("the sink finds no orphans")
	}
	got, err := o.Orphans(b.Context(), of, func(name string) bool { return known[name] })
	b.wantNoError("Orphans", err)
	b.wantStates(got, names)
}

// wantStates wants got to be what Inspect says of these names, as far as it
// decides anything.
func (b *bench) wantStates(got map[string]sink.State, names []int) {
	b.Helper()
	type outline struct {
		Exists, Deleted bool
		Owner           sink.Owner
	}
	want, have := make(map[string]outline), make(map[string]outline)
	for _, n := range names {
		s := b.inspect(n)
		want[b.name(n)] = outline{s.Exists, s.Deleted, s.Owner}
		// A listing may leave a fingerprint out, but not tell a wrong one.
		if f := got[b.name(n)].Fingerprint; f != "" && f != s.Fingerprint {
			b.Errorf("%s: got fingerprint %s, want %s", b.name(n), f, s.Fingerprint)
		}
	}
	for name, s := range got {
		have[name] = outline{s.Exists, s.Deleted, s.Owner}
	}
	if diff := cmp.Diff(want, have); diff != "" {
		b.Errorf("(-want +got):\n%s", diff)
	}
}

func (b *bench) wantNoError(operation string, err error) {
	b.Helper()
	b.redacted(err)
	if err != nil {
		b.Fatalf("%s: %v", operation, err)
	}
}

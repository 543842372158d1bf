package sinktest

import (
	"fmt"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

var basic = []testCase{
	{"a name never written has the zero State", func(b *bench) {
		if diff := cmp.Diff(sink.State{}, b.inspect(1)); diff != "" {
			b.Errorf("(-want +got):\n%s", diff)
		}
	}},
	{"looking writes nothing", func(b *bench) {
		b.inspect(1)
		b.untouched(1, Stored{})
		b.create(2, "a")
		before := b.stored(2)
		b.inspect(2)
		b.untouched(2, before)
	}},
	{"looking twice shows the same", func(b *bench) {
		b.create(1, "a")
		if diff := cmp.Diff(b.inspect(1), b.inspect(1)); diff != "" {
			b.Errorf("(-first +second):\n%s", diff)
		}
	}},
	{"create stores exactly the body, under the mark and the fingerprint", func(b *bench) {
		r, _ := b.create(1, "a")
		b.current(1, r)
		if got := b.stored(1).Versions; got != 1 {
			b.Errorf("got %d versions, want 1", got)
		}
	}},
	{"create returns what Inspect says", func(b *bench) {
		_, got := b.create(1, "a")
		if diff := cmp.Diff(b.inspect(1), got); diff != "" {
			b.Errorf("(-Inspect +Put):\n%s", diff)
		}
	}},
	{"a value lands at its own name", func(b *bench) {
		r1, _ := b.create(1, "a")
		r2, _ := b.create(2, "b")
		b.current(1, r1)
		b.current(2, r2)
		b.untouched(3, Stored{})
	}},
	{"putting what stands there makes no version", func(b *bench) {
		r, s := b.create(1, "a")
		before := b.stored(1)
		again := b.put(1, r, s)
		b.untouched(1, before)
		if diff := cmp.Diff(s, again); diff != "" {
			b.Errorf("State (-first +second):\n%s", diff)
		}
	}},
	{"update stores the new body and moves the version", func(b *bench) {
		_, s := b.create(1, "a")
		r := b.record(1, "b")
		after := b.put(1, r, s)
		b.current(1, r)
		if after.Version == s.Version {
			b.Errorf("the version is still %q", s.Version)
		}
		if got := b.stored(1).Versions; got != 2 {
			b.Errorf("got %d versions, want 2", got)
		}
	}},
	{"update returns what Inspect says", func(b *bench) {
		_, s := b.create(1, "a")
		got := b.put(1, b.record(1, "b"), s)
		if diff := cmp.Diff(b.inspect(1), got); diff != "" {
			b.Errorf("(-Inspect +Put):\n%s", diff)
		}
	}},
	{"an update leaves other names alone", func(b *bench) {
		other, _ := b.create(2, "other")
		before := b.inspect(2)
		_, s := b.create(1, "a")
		b.put(1, b.record(1, "b"), s)
		b.current(2, other)
		if diff := cmp.Diff(before, b.inspect(2)); diff != "" {
			b.Errorf("the other's State (-before +after):\n%s", diff)
		}
	}},
	{"from A to B and back to A, A stands", func(b *bench) {
		first, s := b.create(1, "a")
		s = b.put(1, b.record(1, "b"), s)
		last := b.put(1, first, s)
		b.current(1, first)
		if diff := cmp.Diff(b.inspect(1), last); diff != "" {
			b.Errorf("(-Inspect +Put):\n%s", diff)
		}
	}},
	{"ten updates leave the tenth", func(b *bench) {
		r, s := b.create(1, "0")
		for n := range 10 {
			r = b.record(1, fmt.Sprint(n+1))
			s = b.put(1, r, s)
		}
		b.current(1, r)
	}},
	{"the ID of the fingerprint's key comes back", func(b *bench) {
		b.create(1, "a")
		b.key = credential.NewFingerprintKey(credential.NewSecret("another key"))
		r := b.record(1, "a")
		b.put(1, r, b.inspect(1))
		b.current(1, r)
	}},
	{"odd values are stored byte for byte", func(b *bench) {
		for n, odd := range []string{
			`"`, `\`, `\n is no newline`, `'single'`, "`ls`", `$HOME ${HOME} %s %% $$`, `<script>&amp;</script>`,
			" blanks at both ends ", "#", "=", "{}", "[1]", "null", "0123456789012345678901234567890", "1e400",
			"ünï©ödé 日本語 🔑", "\u2028\u2029", "a,b;c", "!template!", strings.Repeat("long", 500),
		} {
			r := b.recordAt(b.name(n), owner(n), "amzn1.oa2-cs.v1."+odd)
			b.put(n, r, sink.State{})
			b.current(n, r)
		}
	}},
	{"odd names don't collide", oddNames},
	{"the largest body is taken", func(b *bench) {
		b.put(1, b.sized(0), sink.State{})
		if got := len(b.stored(1).Body); got != b.h.MaxBody {
			b.Errorf("got %d bytes stored, want %d", got, b.h.MaxBody)
		}
	}},
	{"a larger body is refused before anything is written", func(b *bench) {
		b.refused(1, b.sized(1), sink.State{}, sink.ErrInvalid)
		_, s := b.create(1, "a")
		b.refused(1, b.sized(1), s, sink.ErrInvalid)
	}},
}

// oddNames writes names that a careless backend takes for one another.
func oddNames(b *bench) {
	ids := []string{"a", "A", "0", "00", "a.b", "a-b", "a_b", "a.B", "a.json", "a.credsync", "data", "metadata", "null", strings.Repeat("long.", 30) + "id"}
	records := make([]sink.Record, len(ids))
	names := make([]string, len(ids))
	for n, id := range ids {
		names[n] = strings.ReplaceAll(b.name(1), string(skill(1)), id)
		if names[n] == b.name(1) {
			b.Skipf("not proven: the name %s doesn't hold the skill's ID", names[n])
		}
		records[n] = b.recordAt(names[n], sink.Owner{Instance: instance, Skill: credential.SkillID(id)}, secret("of "+id))
		b.putAt(names[n], records[n], sink.State{})
	}
	for n := range ids {
		b.holds(names[n], records[n])
		if s := b.inspectAt(names[n]); s.Owner != records[n].Owner || s.Fingerprint != records[n].Fingerprint {
			b.Errorf("%s: got %+v, want owner %+v and its fingerprint", names[n], s, records[n].Owner)
		}
	}
}

// sized returns a record of the first skill whose body passes the limit by
// extra bytes. What the form adds to a value, it takes from a body that stands.
func (b *bench) sized(extra int) sink.Record {
	b.Helper()
	if b.h.MaxBody == 0 {
		b.Skip("not proven: the harness has no MaxBody")
	}
	const probe = 99
	b.putAt(b.name(probe), b.recordAt(b.name(probe), owner(probe), "x"), b.inspect(probe))
	around := len(b.stored(probe).Body) - 1
	r := b.recordAt(b.name(1), owner(1), strings.Repeat("x", b.h.MaxBody-around+extra))
	b.canaries = []string{strings.Repeat("x", 32)} // a single letter is in every text
	return r
}

package file_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/file"
)

// A disk is what a crash left in the directory, by name.
type disk map[string]string

const (
	markName      = "." + name + ".credsync"
	temporary     = ".credsync.tmp"
	temporaryMark = ".credsync-mark.tmp"
)

// known is a value in a mark: r in its n-th version, by the bytes stored.
func known(n int, r sink.Record, body string) map[string]any {
	sum := sha256.Sum256([]byte(body))
	return map[string]any{"version": n, "fingerprint": r.Fingerprint, "key": r.Key, "digest": hex.EncodeToString(sum[:])}
}

// markText is a mark of ours that knows these values; nil is none.
func markText(t *testing.T, current, next map[string]any) string {
	t.Helper()
	m := map[string]any{"format": 1, "owner": owner.Instance, "skill": owner.Skill}
	if current != nil {
		m["current"] = current
	}
	if next != nil {
		m["next"] = next
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryCrashConverges(t *testing.T) {
	c := config(t)
	a, b := record(t, c, owner, name, "canary-a"), record(t, c, owner, name, "canary-b")
	bodyA, bodyB := a.Body.Reveal(), b.Body.Reveal()
	a1, a2, b1, b2 := known(1, a, bodyA), known(2, a, bodyA), known(1, b, bodyB), known(2, b, bodyB)

	for _, row := range []struct {
		crash   string
		left    disk
		want    sink.State // of the first look, without Ref
		version string     // once b was put
	}{
		{"create: temporary file torn", disk{temporary: bodyB[:3]}, sink.State{}, "1"},
		{"create: temporary file whole", disk{temporary: bodyB}, sink.State{}, "1"},
		{"create: temporary mark torn", disk{temporary: bodyB, temporaryMark: `{"for`}, sink.State{}, "1"},
		{"create: mark says next", disk{temporary: bodyB, markName: markText(t, nil, b1)}, sink.State{Owner: owner}, "1"},
		{"create: mark says next, of another value", disk{temporary: bodyA, markName: markText(t, nil, a1)}, sink.State{Owner: owner}, "1"},
		{
			"create: file in place, not confirmed",
			disk{name: bodyB, markName: markText(t, nil, b1)},
			sink.State{Exists: true, Owner: owner, Version: "1"},
			"1",
		},
		{
			"create: file in place, a link of the temporary file",
			disk{name: bodyB, temporary: "link", markName: markText(t, nil, b1)},
			sink.State{Exists: true, Owner: owner, Version: "1"},
			"1",
		},
		{
			"create: file of another value in place, not confirmed",
			disk{name: bodyA, markName: markText(t, nil, a1)},
			sink.State{Exists: true, Owner: owner, Version: "1"},
			"2",
		},
		{
			"create: done",
			disk{name: bodyB, markName: markText(t, b1, nil)},
			sink.State{Exists: true, Owner: owner, Version: "1", Fingerprint: b.Fingerprint, Key: b.Key},
			"1",
		},
		{
			"update: temporary file whole",
			disk{name: bodyA, markName: markText(t, a1, nil), temporary: bodyB},
			sink.State{Exists: true, Owner: owner, Version: "1", Fingerprint: a.Fingerprint, Key: a.Key},
			"2",
		},
		{
			"update: mark says next",
			disk{name: bodyA, markName: markText(t, a1, b2), temporary: bodyB},
			sink.State{Exists: true, Owner: owner, Version: "1", Fingerprint: a.Fingerprint, Key: a.Key},
			"2",
		},
		{
			"update: file in place, not confirmed",
			disk{name: bodyB, markName: markText(t, a1, b2)},
			sink.State{Exists: true, Owner: owner, Version: "2", Fingerprint: b.Fingerprint, Key: b.Key},
			"2",
		},
		{
			"update: file of another value in place, not confirmed",
			disk{name: bodyA, markName: markText(t, b1, a2)},
			sink.State{Exists: true, Owner: owner, Version: "2", Fingerprint: a.Fingerprint, Key: a.Key},
			"3",
		},
		{
			"update away and back: mark says next",
			disk{name: bodyB, markName: markText(t, b1, a2), temporary: bodyA},
			sink.State{Exists: true, Owner: owner, Version: "1", Fingerprint: b.Fingerprint, Key: b.Key},
			"1",
		},
		{
			"update: mark says next, then a hand edit",
			disk{name: "edited", markName: markText(t, a1, b2)},
			sink.State{Exists: true, Owner: owner, Version: "1"},
			"3",
		},
		{
			"repair of a missing file: mark says next",
			disk{markName: markText(t, a1, b2), temporary: bodyB},
			sink.State{Exists: true, Owner: owner, Version: "1"},
			"3",
		},
		{
			"update: the mark durable, the rename lost",
			disk{name: bodyA, markName: markText(t, b2, nil)},
			sink.State{Exists: true, Owner: owner, Version: "2"},
			"3",
		},
		{
			"create: the mark durable, the rename lost",
			disk{markName: markText(t, b1, nil)},
			sink.State{Exists: true, Owner: owner, Version: "1"},
			"2",
		},
	} {
		t.Run(row.crash, func(t *testing.T) {
			c := config(t)
			row.left.lay(t, c)
			s := open(t, c)
			got := inspect(t, s)
			row.want.Ref = got.Ref
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("State after the crash (-want +got):\n%s", diff)
			}
			put(t, s, b)
			wantCurrent(t, s, b, row.version)
			wantDisk(t, c, bodyB)
		})
	}
}

// lay writes d into the directory of c. A temporary file "link" is a link to
// the file at name.
func (d disk) lay(t *testing.T, c file.Config) {
	t.Helper()
	for base, content := range d {
		if content != "link" {
			write(t, filepath.Join(c.Dir, base), content)
		}
	}
	if d[temporary] == "link" {
		if err := os.Link(filepath.Join(c.Dir, name), filepath.Join(c.Dir, temporary)); err != nil {
			t.Fatal(err)
		}
	}
}

// wantDisk wants the file, its mark, and nothing else.
func wantDisk(t *testing.T, c file.Config, body string) {
	t.Helper()
	if got := read(t, filepath.Join(c.Dir, name)); got != body {
		t.Errorf("got %q stored, want %q", got, body)
	}
	var got []string
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff([]string{markName, name}, got); diff != "" {
		t.Errorf("the directory (-want +got):\n%s", diff)
	}
}

// Looks alone would leave the mark as the crash did, and an edit by hand would
// then look like a file that came before ours.
func TestAnUnfinishedCreateAsksToBeConfirmed(t *testing.T) {
	c := config(t)
	r := record(t, c, owner, name, "canary-a")
	disk{name: r.Body.Reveal(), markName: markText(t, nil, known(1, r, r.Body.Reveal()))}.lay(t, c)
	s := open(t, c)
	state := inspect(t, s)
	if state.Fingerprint == r.Fingerprint {
		t.Fatal("it is judged current, so that nobody would confirm it")
	}
	if _, err := s.Put(t.Context(), name, r, state); err != nil {
		t.Fatal(err)
	}
	wantCurrent(t, s, r, "1")
	disk{name: "edited"}.lay(t, c)
	if state := inspect(t, s); state.Owner != owner || state.Fingerprint != "" {
		t.Errorf("got %+v, want it ours and altered", state)
	}
}

func TestWhoCameBeforeAnUnfinishedCreateIsForeign(t *testing.T) {
	c := config(t)
	r := record(t, c, owner, name, "canary-a")
	disk{name: "theirs", markName: markText(t, nil, known(1, r, r.Body.Reveal()))}.lay(t, c)
	s := open(t, c)
	state := inspect(t, s)
	if !state.Exists || !state.Owner.IsZero() {
		t.Errorf("got %+v, want what exists and has no owner", state)
	}
	if _, err := s.Put(t.Context(), name, r, state); !errors.Is(err, sink.ErrForeign) {
		t.Errorf("got %v, want %v", err, sink.ErrForeign)
	}
	if got := read(t, filepath.Join(c.Dir, name)); got != "theirs" {
		t.Errorf("got %q stored, want it untouched", got)
	}
	if _, err := s.Adopt(t.Context(), name, owner, state); err != nil {
		t.Fatal(err)
	}
	put(t, s, r)
	wantDisk(t, c, r.Body.Reveal())
}

func TestAMarkThatIsNotUnderstoodGuardsItsFile(t *testing.T) {
	c := config(t)
	r := record(t, c, owner, name, "canary-a")
	whole := markText(t, known(1, r, r.Body.Reveal()), nil)
	for what, text := range map[string]string{
		"empty":              "",
		"torn":               whole[:len(whole)/2],
		"of a newer format":  strings.Replace(whole, `"format":1`, `"format":2`, 1),
		"of unknown fields":  whole[:len(whole)-1] + `,"more":1}`,
		"with a tail":        whole + whole,
		"without a value":    markText(t, nil, nil),
		"too large":          whole + string(make([]byte, 5000)),
		"versions backwards": markText(t, known(2, r, "a"), known(1, r, "b")),
	} {
		t.Run(what, func(t *testing.T) {
			c := config(t)
			disk{name: "theirs?", markName: text}.lay(t, c)
			s := open(t, c)
			state := inspect(t, s)
			if !state.Exists || !state.Owner.IsZero() || state.Guard == "" {
				t.Errorf("got %+v, want it guarded and of no owner", state)
			}
			if _, err := s.Put(t.Context(), name, r, state); !errors.Is(err, sink.ErrForeign) {
				t.Errorf("Put: got %v, want %v", err, sink.ErrForeign)
			}
			if got := read(t, filepath.Join(c.Dir, name)); got != "theirs?" {
				t.Errorf("got %q stored, want it untouched", got)
			}
			if _, err := s.Adopt(t.Context(), name, owner, state); err != nil {
				t.Errorf("Adopt: %v", err)
			}
		})
	}
}

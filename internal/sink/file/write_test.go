package file

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// These tests stop a write between its steps, where others can't.

const name = "a.json"

var owner = sink.Owner{Instance: "prod", Skill: "a"}

// bench is a sink in a new directory.
func bench(t *testing.T) *Sink {
	t.Helper()
	s, err := Open(Config{Dir: t.TempDir(), Name: "{skill_id}.json"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func record(t *testing.T, value string) sink.Record {
	t.Helper()
	r, err := Config{}.Form().Record(credential.FingerprintKey{}, owner, name, []sink.Field{{Name: "k", Value: credential.NewSecret(value)}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// begin takes the lock and looks, as a Put does.
func begin(t *testing.T, s *Sink) (*directory, looked) {
	t.Helper()
	d, now, err := s.lookLocked(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return d, now
}

func wantHeld(t *testing.T, s *Sink, want map[string]string) {
	t.Helper()
	got := make(map[string]string)
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(s.dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(b)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the directory (-want +got):\n%s", diff)
	}
}

func TestWhoComesBetweenTheLookAndTheRename(t *testing.T) {
	for _, exists := range []bool{false, true} {
		what := "a newcomer is not replaced"
		if exists {
			what = "a hand edit is not replaced"
		}
		t.Run(what, func(t *testing.T) {
			s := bench(t)
			held := map[string]string{}
			if exists {
				if _, err := s.Put(t.Context(), name, record(t, "a"), sink.State{}); err != nil {
					t.Fatal(err)
				}
				mark, err := os.ReadFile(filepath.Join(s.dir, markOf(name)))
				if err != nil {
					t.Fatal(err)
				}
				held[markOf(name)] = string(mark)
			}
			d, now := begin(t, s)
			defer d.unlock()
			held[name] = "theirs"
			if err := os.WriteFile(filepath.Join(s.dir, name), []byte("theirs"), 0o600); err != nil {
				t.Fatal(err)
			}
			r := record(t, "b")
			if _, err := d.write(t.Context(), name, now, r, []byte(r.Body.Reveal())); !errors.Is(err, sink.ErrConflict) {
				t.Errorf("got %v, want %v", err, sink.ErrConflict)
			}
			wantHeld(t, s, held)
		})
	}
}

func TestTheMarkKnowsTheValueBeforeItIsThere(t *testing.T) {
	s := bench(t)
	r := record(t, "a")
	d, now := begin(t, s)
	err := d.create(temporaryFile, []byte(r.Body.Reveal()), s.mode, s.gid)
	if err == nil {
		sum := digest([]byte(r.Body.Reveal()))
		err = d.replace(name, now, newMark(owner, nil, &value{Version: 1, Fingerprint: r.Fingerprint, Key: r.Key, Digest: sum}))
	}
	d.unlock() // as a crash does, before the mark is final
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Inspect(t.Context(), name)
	if err != nil || !got.Exists || got.Owner != owner || got.Version != "1" {
		t.Errorf("got %+v, %v; want it ours", got, err)
	}
}

func TestWhereNoRenameRefusesToReplaceALinkDoes(t *testing.T) {
	s := bench(t)
	d, _ := begin(t, s)
	defer d.unlock()
	move := func() error {
		if err := d.create(temporaryFile, []byte("ours"), s.mode, s.gid); err != nil {
			t.Fatal(err)
		}
		return d.linkNew(temporaryFile, name)
	}
	if err := move(); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, s, map[string]string{name: "ours"})
	if err := move(); !errors.Is(err, os.ErrExist) {
		t.Errorf("got %v, want %v", err, os.ErrExist)
	}
}

package audit

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenNeedsADestinationThatWorks(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing", "audit.jsonl")
	for name, o := range map[string]Options{
		"no destination": {},
		"file " + missing + ": open: no such file": {Files: []string{missing}},
		"file " + dir + ": open: is a directory":   {Files: []string{dir}},
	} {
		if trail, err := Open(o); trail != nil || err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %s", err, name)
		}
	}
}

func TestAFileThatCanBeOpenedLater(t *testing.T) {
	var out bytes.Buffer
	path := filepath.Join(t.TempDir(), "later", "audit.jsonl")
	trail := open(t, Options{Files: []string{path}, Streams: []Stream{{"buffer", &out}}})
	if !errors.Is(trail.Err(), os.ErrNotExist) {
		t.Errorf("at first: got %v", trail.Err())
	}
	write(t, trail, 2)
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, trail, 3)
	if got := verify(t, path, VerifyOptions{Head: trail.Head()}).Records; got != 3 || trail.Err() != nil {
		t.Errorf("later: got %d records, %v", got, trail.Err())
	}
}

func TestEveryDestinationHasWhatAppendReturnedFor(t *testing.T) {
	paths := []string{tempTrail(t), tempTrail(t)}
	trail := open(t, Options{Files: paths})
	for n := range 20 {
		write(t, trail, 1)
		for _, path := range paths {
			if got := verify(t, path, VerifyOptions{}).Records; got != n+1 {
				t.Fatalf("%s: got %d records, want %d", path, got, n+1)
			}
		}
	}
}

func TestNothingIsAppendedTooLate(t *testing.T) {
	var out bytes.Buffer
	trail := open(t, Options{Streams: []Stream{{"buffer", &out}}})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := trail.Append(over, Record{Event: RunStart}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over: got %v", err)
	}
	for range 2 {
		if err := trail.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := trail.Append(t.Context(), Record{Event: RunStart}); !errors.Is(err, errClosed) {
		t.Errorf("after Close: got %v", err)
	}
	if out.Len() > 0 || trail.Head() != (Head{}) {
		t.Errorf("wrote %q, head %v", out.String(), trail.Head())
	}
}

package syncer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/credsync/credsync/internal/audit"
)

// maxStop is what may pass until nothing is written any more.
const maxStop = 5 * time.Second

// faults are ways in which a destination takes nothing, as the system has them.
var faults = map[string]func(*testing.T) audit.Options{
	"no space left on device": func(t *testing.T) audit.Options { return stream(openDevice(t, "/dev/full")) },
	"no space left, as a file": func(t *testing.T) audit.Options {
		return audit.Options{Files: []string{openDevice(t, "/dev/full").Name()}}
	},
	"broken pipe": func(t *testing.T) audit.Options {
		r, w := pipe(t)
		_ = r.Close()
		return stream(w)
	},
	"closed": func(t *testing.T) audit.Options {
		_, w := pipe(t)
		_ = w.Close()
		return stream(w)
	},
	"a pipe that nobody reads": func(t *testing.T) audit.Options {
		_, w := pipe(t)
		_ = w.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		for err := error(nil); err == nil; {
			_, err = w.Write(make([]byte, 4096))
		}
		_ = w.SetWriteDeadline(time.Time{})
		return stream(w)
	},
	"input/output error": func(t *testing.T) audit.Options { return stream(hungUpTerminal(t)) },
	"open for reading":   func(t *testing.T) audit.Options { return stream(openReadOnly(t)) },
}

func stream(w io.Writer) audit.Options {
	return audit.Options{Streams: []audit.Stream{{Name: "stream", Writer: w}}}
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() }) // ends what hangs
	return r, w
}

func openDevice(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func openReadOnly(t *testing.T) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestADestinationThatTakesNothing(t *testing.T) {
	for name, destination := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 20, "one", "two")
			trail, err := audit.Open(destination(t))
			if err != nil {
				t.Fatal(err)
			}
			b.engine.Trail = trail
			start := time.Now()
			s, _ := b.sync(Options{})
			if took := time.Since(start); s.Err == nil || took > maxStop {
				t.Errorf("got %v after %v", s.Err, took)
			}
			if n := b.versions("one") + b.versions("two"); n != 0 {
				t.Errorf("%d writes", n)
			}
			t.Log(s.Err)
		})
		t.Run(name+", beside one that is well", func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 20, "one", "two")
			o := destination(t)
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			o.Files = append([]string{path}, o.Files...)
			trail, err := audit.Open(o)
			if err != nil {
				t.Fatal(err)
			}
			b.engine.Trail = trail
			b.intentBeforePut(path)
			s, _ := b.sync(Options{})
			b.want(s, Created, 40)
			if trail.Err() == nil {
				t.Error("the trail says it is well")
			}
			if content, err := os.ReadFile(path); err != nil || bytes.Count(content, []byte("write.outcome")) != 40 {
				t.Errorf("%v, %s", err, content)
			}
		})
	}
}

// intentBeforePut fails where a sink is asked to store what the file at path has
// not announced.
func (b *bench) intentBeforePut(path string) {
	for sinkName, s := range b.sinks {
		s.Before = func(_ context.Context, method, name string) error {
			if method != "Put" {
				return nil
			}
			content, err := os.ReadFile(path)
			if want := fmt.Sprintf(`"sink":%q,"name":%q`, sinkName, name); err != nil || !strings.Contains(string(content), want) {
				b.Errorf("%s was not announced: %v", want, err)
			}
			return nil
		}
	}
}

// A tap is a destination that lets some writes through and then does as it is told.
type tap struct {
	mu   sync.Mutex
	left int
	shut func() (int, error)
	when time.Time // of the first write that it did not let through
}

func (w *tap) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.left--
	through := w.left >= 0
	if w.left == -1 {
		w.when = time.Now()
	}
	w.mu.Unlock()
	if through {
		return len(p), nil
	}
	return w.shut()
}

func TestAllWritesStopSoonAfterTheTrail(t *testing.T) {
	for name, hangs := range map[string]bool{"it fails": false, "it hangs": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, 500, "one")
				opened := make(chan struct{})
				w := &tap{left: 101, shut: func() (int, error) {
					if hangs {
						<-opened
					}
					return 0, errors.New("gone")
				}}
				trail, err := audit.Open(stream(w))
				if err != nil {
					t.Fatal(err)
				}
				b.engine.Trail = trail
				var mu sync.Mutex
				var last time.Time
				b.sinks["one"].Before = func(_ context.Context, method, _ string) error {
					if method == "Put" {
						mu.Lock()
						last = time.Now()
						mu.Unlock()
						time.Sleep(100 * time.Millisecond)
					}
					return nil
				}
				s, _ := b.sync(Options{})
				stopped := time.Since(w.when)
				if n := b.versions("one"); n < 40 || n > 100 || s.Counts[Skipped] < 400 || s.Err == nil {
					t.Errorf("%d writes, %v, %v", n, s.Counts, s.Err)
				}
				if late := last.Sub(w.when); late > maxStop || stopped > 2*maxStop {
					t.Errorf("the last write began %v after the end of the trail, the run ended %v after it", late, stopped)
				}
				t.Logf("last write %v after the end of the trail, end of the run %v after it", last.Sub(w.when), stopped)
				close(opened)
				_ = trail.Close()
			})
		})
	}
}

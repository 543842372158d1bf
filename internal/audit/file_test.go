package audit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/credential"
)

func TestAChainOutlivesItsWriters(t *testing.T) {
	path := tempTrail(t)
	var head Head
	for range 3 {
		trail := open(t, Options{Host: "h", Key: testKey, Files: []string{path}})
		write(t, trail, 4)
		head = trail.Head()
		if err := trail.Close(); err != nil {
			t.Fatal(err)
		}
	}
	got := verify(t, path, VerifyOptions{Key: testKey, Head: head})
	want := Report{Records: 12, FirstSeq: 1, Head: head}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: got %v, %v, want 0600", info.Mode(), err)
	}
	if bytes.Contains(read(t, path), []byte("CANARY")) {
		t.Error("the key shows in the trail")
	}
}

func TestWritersShareOneChain(t *testing.T) {
	t.Run("two trails in one process", func(t *testing.T) {
		path := tempTrail(t)
		var wg sync.WaitGroup
		for i := range 2 {
			trail := open(t, Options{Host: fmt.Sprint(i), Files: []string{path}})
			for range 8 {
				wg.Go(func() { write(t, trail, 25) })
			}
		}
		wg.Wait()
		if got := verify(t, path, VerifyOptions{}).Records; got != 400 {
			t.Errorf("records: got %d, want 400", got)
		}
	})
	t.Run("two processes", func(t *testing.T) {
		path := tempTrail(t)
		child, out := startChild(t, path, 25)
		trail := open(t, Options{Files: []string{path}})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { write(t, trail, 25) })
		}
		for out.Scan() { // to its end
		}
		if err := child.Wait(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if got, want := verify(t, path, VerifyOptions{}).Records, 200+(2*25+1)*childWriters; got != want {
			t.Errorf("records: got %d, want %d", got, want)
		}
	})
}

func TestATornLineIsEndedAndTheChainGoesOn(t *testing.T) {
	log := lines(t, testKey, 3)
	whole, last := append(bytes.Clone(log[0]), log[1]...), log[2]
	for cut := 1; cut < len(last); cut += 1 + min(6, len(last)-1-cut)/2 { // each byte near the end
		path := tempTrail(t)
		if err := os.WriteFile(path, append(bytes.Clone(whole), last[:cut]...), 0o600); err != nil {
			t.Fatal(err)
		}
		before := verify(t, path, VerifyOptions{Key: testKey})
		trail := open(t, Options{Key: testKey, Files: []string{path}})
		write(t, trail, 2)
		got := verify(t, path, VerifyOptions{Key: testKey})
		want := Report{Records: 4, FirstSeq: 1, Head: trail.Head(), Torn: []int{3}}
		if cut == len(last)-1 { // only its newline was missing
			want.Records, want.Torn = 5, nil
		}
		if diff := cmp.Diff(want, got); diff != "" || len(before.Torn) != 1 {
			t.Fatalf("cut after %d bytes: torn before: %v; after: %s", cut, before.Torn, diff)
		}
	}
}

func TestAFileThatHoldsNoTrailIsLeftAlone(t *testing.T) {
	for name, content := range map[string]string{
		"a configuration": "jobs:\n  production:\n    schedule: \"@hourly\"\n",
		"other JSON":      `{"level":"info"}` + "\n",
		"a big log":       strings.Repeat("something happened\n", maxTail/10),
	} {
		path := tempTrail(t)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		// A destination beside it makes no difference: somebody has to act.
		_, err := Open(Options{Files: []string{path}, Streams: []Stream{{"buffer", &bytes.Buffer{}}}})
		if !errors.Is(err, ErrUnfit) || string(read(t, path)) != content {
			t.Errorf("%s: got %v, or a changed file", name, err)
		}
	}
}

func TestAChangedKeyWantsANewFile(t *testing.T) {
	keys := map[string]credential.Secret{"none": {}, "one": testKey, "another": credential.NewSecret("another")}
	for before, old := range keys {
		for after, key := range keys {
			if before == after {
				continue
			}
			t.Run(before+", then "+after, func(t *testing.T) {
				path := tempTrail(t)
				running := open(t, Options{Key: key, Files: []string{path}}) // it began when the file was empty
				writer := open(t, Options{Key: old, Files: []string{path}})
				write(t, writer, 3)
				content := read(t, path)
				if err := Fit(path, old); err != nil {
					t.Error(err)
				}
				_, err := Open(Options{Key: key, Files: []string{path}})
				for _, err := range []error{err, Fit(path, key), running.Append(t.Context(), Record{Event: WriteIntent})} {
					if !errors.Is(err, ErrUnfit) || !strings.Contains(err.Error(), "move this one away") || strings.Contains(err.Error(), "CANARY") {
						t.Errorf("got %v", err)
					}
				}
				if !bytes.Equal(read(t, path), content) {
					t.Error("the file has changed")
				}
				// A new file goes on with the chain, under the new key.
				if err := os.Rename(path, path+".1"); err != nil {
					t.Fatal(err)
				}
				write(t, open(t, Options{Key: key, Files: []string{path}, Head: writer.Head()}), 1)
				write(t, running, 1)
				if got := verify(t, path, VerifyOptions{Key: key}); got.Records != 2 || got.FirstSeq != 4 {
					t.Errorf("the new file: got %+v", got)
				}
			})
		}
	}
	t.Run("a torn end hides nothing", func(t *testing.T) {
		log := lines(t, testKey, 2)
		path := tempTrail(t)
		if err := os.WriteFile(path, append(bytes.Clone(log[0]), log[1][:90]...), 0o600); err != nil {
			t.Fatal(err)
		}
		if Fit(path, testKey) != nil || Fit(path, credential.Secret{}) == nil {
			t.Errorf("with its key: %v; without: %v", Fit(path, testKey), Fit(path, credential.Secret{}))
		}
	})
	t.Run("an altered end is not built on", func(t *testing.T) {
		path := tempTrail(t)
		write(t, open(t, Options{Key: testKey, Files: []string{path}}), 2)
		if err := os.WriteFile(path, bytes.ReplaceAll(read(t, path), []byte("reload"), []byte("RELOAD")), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Key: testKey, Files: []string{path}}); !errors.Is(err, ErrUnfit) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAFarRecordIsFound(t *testing.T) {
	path := tempTrail(t)
	content := lines(t, testKey, 1)[0]
	for len(content) < 3*firstTail {
		content = append(content, lineStart+"2026\n"...)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	trail := open(t, Options{Key: testKey, Files: []string{path}})
	write(t, trail, 1)
	if got := verify(t, path, VerifyOptions{Key: testKey}).Records; got != 2 {
		t.Errorf("records: got %d, want 2", got)
	}
}

func TestRotation(t *testing.T) {
	path := tempTrail(t)
	daemon := open(t, Options{Files: []string{path}})
	other := open(t, Options{Files: []string{path}})
	write(t, daemon, 3)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	// The other opened the old file, and notices by itself.
	write(t, other, 2)
	write(t, daemon, 2)

	if got := verify(t, path+".1", VerifyOptions{}); got.Records != 3 {
		t.Errorf("old file: got %d records, want 3", got.Records)
	}
	if got := verify(t, path, VerifyOptions{}); got.Records != 4 || got.FirstSeq != 4 {
		t.Errorf("new file: got %d records from %d, want 4 from 4", got.Records, got.FirstSeq)
	}
	both := append(read(t, path+".1"), read(t, path)...)
	if report, err := Verify(bytes.NewReader(both), VerifyOptions{Head: daemon.Head()}); err != nil || report.Records != 7 {
		t.Errorf("as one: got %d records, %v", report.Records, err)
	}

	t.Run("by truncation", func(t *testing.T) {
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		write(t, daemon, 1)
		if got := verify(t, path, VerifyOptions{}); got.FirstSeq != 8 {
			t.Errorf("got %d, want 8", got.FirstSeq)
		}
	})
	t.Run("by removal", func(t *testing.T) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		write(t, daemon, 1)
		if got := verify(t, path, VerifyOptions{}); got.FirstSeq != 9 {
			t.Errorf("got %d, want 9", got.FirstSeq)
		}
	})
}

// A one-shot job never saw the file that logrotate has put aside.
func TestAKnownHeadGoesOnInANewFile(t *testing.T) {
	path := tempTrail(t)
	first := open(t, Options{Files: []string{path}})
	write(t, first, 3)
	head := first.Head()
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	second := open(t, Options{Files: []string{path}, Head: head})
	write(t, second, 2)
	both := append(read(t, path+".1"), read(t, path)...)
	if report, err := Verify(bytes.NewReader(both), VerifyOptions{Head: second.Head()}); err != nil || report.Records != 5 {
		t.Errorf("as one: got %d records, %v", report.Records, err)
	}
	// A file with records knows better than what was kept.
	third := open(t, Options{Files: []string{path}, Head: head})
	write(t, third, 1)
	if got := verify(t, path, VerifyOptions{}); got.Records != 3 || got.Head.Seq != 6 {
		t.Errorf("got %d records up to %v", got.Records, got.Head)
	}
}

// A faultyDisk is a disk whose calls can fail, take long, and are counted.
type faultyDisk struct {
	disk
	short  int           // bytes that a failing Write still takes
	write  error         // of Write
	sync   error         // of Sync
	takes  time.Duration // of Sync
	synced atomic.Int32
}

func (d *faultyDisk) Write(p []byte) (int, error) {
	if d.write != nil {
		n, _ := d.disk.Write(p[:d.short])
		return n, &os.PathError{Op: "write", Path: "x", Err: d.write}
	}
	return d.disk.Write(p)
}

func (d *faultyDisk) Sync() error {
	time.Sleep(d.takes)
	d.synced.Add(1)
	if d.sync != nil {
		return &os.PathError{Op: "sync", Path: "x", Err: d.sync}
	}
	return d.disk.Sync()
}

// openFaulty opens a trail on one file whose disk is d.
func openFaulty(t *testing.T, path string, d *faultyDisk) *Trail {
	t.Helper()
	f := newFile(path, testKey)
	f.opens = func(path string) (_ disk, err error) {
		d.disk, err = openDisk(path)
		return d, err
	}
	trail := &Trail{queues: []*queue{newQueue(f, nil)}}
	trail.start()
	t.Cleanup(func() { _ = trail.Close() })
	return trail
}

func TestConcurrentAppendsShareAnFsync(t *testing.T) {
	path := tempTrail(t)
	synctest.Test(t, func(t *testing.T) {
		d := &faultyDisk{takes: 10 * time.Millisecond}
		trail := openFaulty(t, path, d)
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() { write(t, trail, 1) })
		}
		wg.Wait()
		if got := d.synced.Load(); got > 8 {
			t.Errorf("64 appends took %d fsyncs", got)
		}
	})
	if got := verify(t, path, VerifyOptions{Key: testKey}).Records; got != 64 {
		t.Errorf("records: got %d, want 64", got)
	}
}

func TestADiskThatFailsKeepsNothing(t *testing.T) {
	for name, d := range map[string]*faultyDisk{
		"write: no space left on device": {write: syscall.ENOSPC, short: 100},
		"write: input/output error":      {write: syscall.EIO},
		"sync: input/output error":       {sync: syscall.EIO},
		"write: read-only file system":   {write: syscall.EROFS},
	} {
		path := tempTrail(t)
		write(t, open(t, Options{Key: testKey, Files: []string{path}}), 2)
		before := read(t, path)
		trail := openFaulty(t, path, d)
		err := trail.Append(t.Context(), Record{Event: WriteIntent})
		if want := "audit trail: file " + path + ": " + name; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if trail.Err() == nil {
			t.Errorf("%s: the trail says it is well", name)
		}
		if !bytes.Equal(read(t, path), before) {
			t.Errorf("%s: the file has changed", name)
		}
		d.write, d.sync = nil, nil
		write(t, trail, 1)
		if got := verify(t, path, VerifyOptions{Key: testKey}); got.Records != 3 || trail.Err() != nil {
			t.Errorf("%s: afterwards: got %d records, %v", name, got.Records, trail.Err())
		}
	}
}

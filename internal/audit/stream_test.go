package audit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestEachTrailStartsAChainOnAStream(t *testing.T) {
	var out bytes.Buffer
	for range 2 {
		trail := open(t, Options{Streams: []Stream{{"buffer", &out}}})
		write(t, trail, 3)
		if err := trail.Close(); err != nil {
			t.Fatal(err)
		}
	}
	report, err := Verify(bytes.NewReader(out.Bytes()), VerifyOptions{Restarts: true})
	if err != nil || report.Records != 6 || report.Restarts != 1 {
		t.Errorf("got %+v, %v", report, err)
	}
	if bad := badLine(t, out.Bytes(), VerifyOptions{}); bad.Line != 4 {
		t.Errorf("as a file: got %v, want line 4", bad)
	}
}

// fullPipe returns a pipe that takes no more. Closing r ends what hangs in w.
func fullPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	if err := w.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = w.Write(make([]byte, 4096))
	}
	if err := w.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	return r, w
}

func TestAFullPipe(t *testing.T) {
	t.Parallel()
	t.Run("alone, it ends in an error within 5 s", func(t *testing.T) {
		t.Parallel()
		r, w := fullPipe(t)
		defer r.Close()
		trail := open(t, Options{Streams: []Stream{{"stdout", w}}})
		start := time.Now()
		err := trail.Append(t.Context(), Record{Event: WriteIntent})
		if took := time.Since(start); err == nil || took > 5*time.Second {
			t.Errorf("got %v after %v", err, took)
		}
		if want := "audit trail: stream stdout: no answer within 3s"; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
		start = time.Now()
		if err := trail.Append(t.Context(), Record{Event: WriteIntent}); err == nil || time.Since(start) > time.Second {
			t.Errorf("once it is known to hang: got %v after %v", err, time.Since(start))
		}
	})
	t.Run("beside a file, it stops nothing", func(t *testing.T) {
		t.Parallel()
		r, w := fullPipe(t)
		defer r.Close()
		path := tempTrail(t)
		trail := open(t, Options{Files: []string{path}, Streams: []Stream{{"stdout", w}}})
		start := time.Now()
		write(t, trail, 500)
		if took := time.Since(start); took > 8*time.Second {
			t.Errorf("500 records took %v", took)
		}
		if got := verify(t, path, VerifyOptions{Head: trail.Head()}).Records; got != 500 {
			t.Errorf("records: got %d, want 500", got)
		}
		if err := trail.Err(); err == nil {
			t.Error("the trail says it is well")
		}
	})
}

// A gate is a writer that lets nothing through until it is opened.
type gate struct {
	opened chan struct{}
	mu     sync.Mutex
	bytes.Buffer
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.opened
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Buffer.Write(p)
}

func TestAStreamThatComesBackToLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{opened: make(chan struct{})}
		trail := open(t, Options{Streams: []Stream{{"stdout", g}}})
		appendNamed := func(name string) error {
			return trail.Append(context.Background(), Record{Event: WriteIntent, Name: name})
		}
		start := time.Now()
		if appendNamed("begun") == nil || appendNamed("withdrawn") == nil {
			t.Fatal("taken by a stream that hangs")
		}
		if took := time.Since(start); took != patience {
			t.Errorf("both took %v, want %v", took, patience)
		}
		close(g.opened)
		synctest.Wait()
		if err := errors.Join(trail.Err(), appendNamed("after"), trail.Close()); err != nil {
			t.Error(err)
		}
		report, err := Verify(bytes.NewReader(g.Bytes()), VerifyOptions{})
		if err != nil || report.Records != 2 || strings.Contains(g.String(), "withdrawn") {
			t.Errorf("got %+v, %v:\n%s", report, err, g.String())
		}
	})
}

func TestWhatHangsGetsItsRecordsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, good := &gate{opened: make(chan struct{})}, &bytes.Buffer{}
		trail := open(t, Options{Streams: []Stream{{"stdout", g}, {"stderr", good}}})
		write(t, trail, maxQueue+10)
		close(g.opened)
		if err := trail.Close(); err != nil {
			t.Error(err)
		}
		for out, want := range map[*bytes.Buffer]int{good: maxQueue + 10, &g.Buffer: maxQueue + 1} {
			report, err := Verify(bytes.NewReader(out.Bytes()), VerifyOptions{})
			if err != nil || report.Records != want {
				t.Errorf("got %d records, %v; want %d", report.Records, err, want)
			}
		}
	})
}

func TestCloseLeavesBehindWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{opened: make(chan struct{})}
		trail := open(t, Options{Streams: []Stream{{"stdout", g}}})
		_ = trail.Append(t.Context(), Record{Event: RunStart})
		start := time.Now()
		if err := trail.Close(); err == nil || time.Since(start) != patience {
			t.Errorf("close: got %v after %v", err, time.Since(start))
		}
		close(g.opened)
	})
}

func TestAppendEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{opened: make(chan struct{})}
		trail := open(t, Options{Streams: []Stream{{"stdout", g}}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		for range 2 {
			if err := trail.Append(ctx, Record{Event: RunStart}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v", took)
		}
		close(g.opened)
	})
}

func TestAStreamThatFails(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	r, broken, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer broken.Close()
	_ = r.Close()
	for _, test := range []struct {
		w     io.Writer
		want  string
		errno error
	}{
		{full, "write: no space left on device", syscall.ENOSPC},
		{broken, "write: broken pipe", syscall.EPIPE},
		{closedFile(t), "write: file already closed", os.ErrClosed},
	} {
		trail := open(t, Options{Streams: []Stream{{"out", test.w}}})
		err := trail.Append(t.Context(), Record{Event: WriteIntent})
		if err == nil || err.Error() != "audit trail: stream out: "+test.want || !errors.Is(err, test.errno) {
			t.Errorf("got %v, want %s", err, test.want)
		}
		var good bytes.Buffer
		trail = open(t, Options{Streams: []Stream{{"out", test.w}, {"good", &good}}})
		if err := trail.Append(t.Context(), Record{Event: WriteIntent}); err != nil || trail.Err() == nil {
			t.Errorf("beside a good one: got %v; the trail's state: %v", err, trail.Err())
		}
	}
}

func closedFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(tempTrail(t))
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	return f
}

// A shortWriter takes n bytes of its first write, or all but -n.
type shortWriter struct {
	n int
	bytes.Buffer
}

func (w *shortWriter) Write(p []byte) (int, error) {
	if w.Len() > 0 {
		return w.Buffer.Write(p)
	}
	n, _ := w.Buffer.Write(p[:(w.n+len(p))%len(p)])
	return n, io.ErrShortWrite
}

func TestALineThatAStreamTookHalfOf(t *testing.T) {
	for _, n := range []int{1, 5, 50, 150} {
		w := &shortWriter{n: n}
		trail := open(t, Options{Streams: []Stream{{"out", w}}})
		if trail.Append(t.Context(), Record{Event: WriteIntent, Name: "first"}) == nil {
			t.Errorf("%d bytes were taken for a record", n)
		}
		write(t, trail, 2)
		report, err := Verify(bytes.NewReader(w.Bytes()), VerifyOptions{})
		if err != nil || report.Records != 2 || len(report.Torn) != 1 {
			t.Errorf("%d bytes: got %+v, %v", n, report, err)
		}
	}
	t.Run("all but its newline", func(t *testing.T) {
		w := &shortWriter{n: -1}
		trail := open(t, Options{Streams: []Stream{{"out", w}}})
		write(t, trail, 2)
		report, err := Verify(bytes.NewReader(w.Bytes()), VerifyOptions{})
		if err != nil || report.Records != 2 || len(report.Torn) != 0 {
			t.Errorf("got %+v, %v", report, err)
		}
	})
}

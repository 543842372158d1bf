package state

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type note struct {
	Text string
	N    int
}

func open(t *testing.T) (*Dir, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a", "state")
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d, path
}

func files(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestSaveAndLoad(t *testing.T) {
	d, path := open(t)
	var got note
	if found, err := d.Load("a.json", &got); found || err != nil {
		t.Errorf("got %v, %v before anything was saved", found, err)
	}
	for n := range 3 {
		want := note{strings.Repeat("x", 10-n), n}
		if err := d.Save("a.json", want); err != nil {
			t.Fatal(err)
		}
		if found, err := d.Load("a.json", &got); !found || err != nil {
			t.Fatalf("got %v, %v", found, err)
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff(files(t, path), []string{"a.json"}); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]fs.FileMode{path: 0o700, filepath.Join(path, "a.json"): 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: got mode %04o, want %04o", name, got, want)
		}
	}
}

func TestAFileOfAnotherReleaseIsLeftAsItIs(t *testing.T) {
	for _, content := range []string{`["hunter2"]`, `{"N":"hunter2"}`} {
		d, path := open(t)
		file := filepath.Join(path, "a.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var got note
		if found, err := d.Load("a.json", &got); found || err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, %v", found, err)
		}
		if kept, err := os.ReadFile(file); err != nil || string(kept) != content {
			t.Errorf("got %q, %v", kept, err)
		}
	}
}

func TestADamagedFileIsMovedAside(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "torn": `{"Text":"hun`, "garbage": "\x00\xff",
		"two values": `{}{}`, "too long": `{"Text":"` + strings.Repeat("x", maxFile) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			d, path := open(t)
			file := filepath.Join(path, "a.json")
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			var got note
			found, err := d.Load("a.json", &got)
			if found || err == nil {
				t.Fatalf("got %v, %v", found, err)
			}
			for _, want := range []string{file + ":", file + ".damaged"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not name %s", err, want)
				}
			}
			if strings.Contains(err.Error(), "hun") {
				t.Errorf("%q shows what is in the file", err)
			}
			aside, err := os.ReadFile(file + ".damaged")
			if err != nil || string(aside) != content {
				t.Errorf("the content was lost: %v", err)
			}
			if found, err := d.Load("a.json", &got); found || err != nil {
				t.Errorf("got %v, %v the second time, want no file", found, err)
			}
		})
	}
}

func TestNamesStayInTheDirectory(t *testing.T) {
	d, path := open(t)
	for _, name := range []string{"", ".", "..", "../a.json", "a/b.json", `a\b.json`, "/etc/passwd", ".a"} {
		if err := d.Save(name, note{}); err == nil {
			t.Errorf("%q was saved", name)
		}
		if _, err := d.Load(name, &note{}); err == nil {
			t.Errorf("%q was loaded", name)
		}
	}
	outside := filepath.Join(t.TempDir(), "outside.json")
	if err := os.WriteFile(outside, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(path, "link.json")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if _, err := d.Load("link.json", &note{}); err == nil {
		t.Error("a link led out of the directory")
	}
	if err := d.Save("link.json", note{N: 7}); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(outside); string(b) != "{}" {
		t.Error("a link led a write out of the directory")
	}
}

func TestAnErrorLeavesTheFileAsItWas(t *testing.T) {
	d, path := open(t)
	if err := d.Save("a.json", note{N: 1}); err != nil {
		t.Fatal(err)
	}
	if err := d.Save("a.json", map[string]any{"hunter2": func() {}}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v for what can't be encoded", err)
	}
	if err := os.Mkdir(filepath.Join(path, "b.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Save("b.json", note{N: 2}); err == nil || strings.Contains(err.Error(), ".tmp") {
		t.Errorf("got %v for a directory in the way", err)
	}
	var got note
	if found, err := d.Load("a.json", &got); !found || err != nil || got.N != 1 {
		t.Errorf("got %v, %v, %v", got, found, err)
	}
	if diff := cmp.Diff(files(t, path), []string{"a.json", "b.json"}); diff != "" {
		t.Error(diff)
	}
}

func TestOpenSaysWhatIsInTheWay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if _, err := Open(path); err == nil || strings.Count(err.Error(), path) != 1 {
			t.Errorf("got %v, want an error that names %s once", err, path)
		}
	}
}

// Readers see one save or another, whole, whoever writes.
func TestConcurrentUse(t *testing.T) {
	d, path := open(t)
	other, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := d.Save("a.json", note{}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for range 20 {
				if err := []*Dir{d, other}[n%2].Save("a.json", note{strings.Repeat(fmt.Sprint(n), 1000*n), n}); err != nil {
					t.Error(err)
				}
				var got note
				if found, err := d.Load("a.json", &got); !found || err != nil || len(got.Text) != 1000*got.N {
					t.Errorf("got %d of %d bytes, %v, %v", len(got.Text), 1000*got.N, found, err)
				}
			}
		})
	}
	wg.Wait()
	if got := files(t, path); !slices.Equal(got, []string{"a.json"}) {
		t.Errorf("got files %v left", got)
	}
}

func TestWhatACrashLeftIsSwept(t *testing.T) {
	dir := t.TempDir()
	old, young := filepath.Join(dir, ".a.json.1x.tmp"), filepath.Join(dir, ".a.json.2x.tmp")
	for _, name := range []string{old, young} {
		if err := os.WriteFile(name, []byte("hunter2"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if diff := cmp.Diff([]string{filepath.Base(young)}, files(t, dir)); diff != "" {
		t.Error(diff)
	}
}

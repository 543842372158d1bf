package audit

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/credsync/credsync/internal/credential"
)

// Neither the process nor what it remembers has seen the file that was rotated.
func TestANewcomerGoesOnFromTheRotatedFile(t *testing.T) {
	for rotated, finds := range map[string]bool{
		"audit.jsonl.1": true, "audit.jsonl-20261125": true, "audit.jsonl-20261125-173000": true, "audit-20261125.jsonl": true, "audit.1.jsonl": true,
		"audit.jsonl.old": false, "audit-staging.jsonl": false, "audit.jsonl.1.gz": false, "audit2.jsonl": false,
	} {
		t.Run(rotated, func(t *testing.T) {
			path := tempTrail(t)
			stale := open(t, Options{Key: testKey, Files: []string{path}})
			write(t, stale, 1)
			write(t, open(t, Options{Key: testKey, Files: []string{path}}), 2)
			old := filepath.Join(filepath.Dir(path), rotated)
			if err := os.Rename(path, old); err != nil {
				t.Fatal(err)
			}
			write(t, open(t, Options{Key: testKey, Files: []string{path}, Head: stale.Head()}), 1)
			whole := append(read(t, old), read(t, path)...)
			if _, err := Verify(bytes.NewReader(whole), VerifyOptions{Key: testKey}); (err == nil) != finds {
				t.Errorf("as one: %v", err)
			}
		})
	}
}

func TestTheFileWrittenLastIsThePredecessor(t *testing.T) {
	path := tempTrail(t)
	now := time.Now()
	for i, end := range []string{".3", ".2", ".1", ".9", ".10"} {
		log := bytes.Join(lines(t, testKey, i+1), nil)
		switch end {
		case ".9": // of another key
			log = bytes.Join(lines(t, credential.NewSecret("another"), 9), nil)
		case ".10":
			log = []byte("no trail\n")
		}
		if err := os.WriteFile(path+end, log, 0o600); err != nil {
			t.Fatal(err)
		}
		when := now.Add(time.Duration(i) * time.Hour)
		if err := os.Chtimes(path+end, when, when); err != nil {
			t.Fatal(err)
		}
	}
	if head, from := predecessor(path, newSeal(testKey)); head.Seq != 3 || from != path+".1" {
		t.Errorf("got %v of %s", head, from)
	}
}

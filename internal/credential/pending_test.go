package credential_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/credsync/credsync/internal/credential"
)

func prepare(t *testing.T, path string, replace bool) *credential.Pending {
	t.Helper()
	p, err := credential.Prepare(path, replace)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// only checks that dir holds this file alone, with a secret that can be read.
func only(t *testing.T, dir, name, want string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != name {
		t.Fatalf("the directory holds %v, err = %v", entries, err)
	}
	path := filepath.Join(dir, name)
	if got, err := (credential.Ref{File: path}).Read(); err != nil || got.Reveal() != want {
		t.Errorf("another content, err = %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, err = %v", info.Mode(), err)
	}
}

func TestASecretFileIsWrittenForItsOwnerAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "token")
	if err := prepare(t, path, false).Commit(credential.NewSecret("one")); err != nil {
		t.Fatal(err)
	}
	only(t, dir, "token", "one")
	if _, err := credential.Prepare(path, false); !errors.Is(err, credential.ErrExists) {
		t.Errorf("err = %v", err)
	}
	p := prepare(t, path, true)
	p.Discard()
	only(t, dir, "token", "one")
	if err := os.Chmod(path, 0o644); err != nil { // what was open to others is not any more
		t.Fatal(err)
	}
	if err := prepare(t, path, true).Commit(credential.NewSecret("two")); err != nil {
		t.Fatal(err)
	}
	only(t, dir, "token", "two")
}

func TestAnEmptyFileIsThereToBeFilled(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "token")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := prepare(t, path, false).Commit(credential.NewSecret("one")); err != nil {
		t.Fatal(err)
	}
	only(t, dir, "token", "one")
}

func TestAFileThatCameMeanwhileIsSpared(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "token")
	p := prepare(t, path, false)
	if err := os.WriteFile(path, []byte("another's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Commit(credential.NewSecret("ours")); err == nil {
		t.Error("it was written over")
	}
	only(t, dir, "token", "another's")
}

func TestALinkStaysALink(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	target, link := filepath.Join(elsewhere, "token"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Skip(err)
	}
	if err := prepare(t, link, true).Commit(credential.NewSecret("two")); err != nil {
		t.Fatal(err)
	}
	only(t, elsewhere, "token", "two")
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone, err = %v", err)
	}
}

func TestWhatCanNotBeWrittenShowsBeforehand(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none", "token")} {
		if _, err := credential.Prepare(path, true); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}

package credential

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxSecretFile bounds what is read as a secret: LWA tokens end at 2 KiB, keys
// and JSON web tokens well below this.
const maxSecretFile = 64 << 10

// A Ref names where a secret is kept. Exactly one of its members is set;
// configuration never holds a value itself.
type Ref struct {
	// File is the path of a file that holds the secret and nothing else. A
	// newline at its end is dropped. Others must not be able to read the file.
	File string `yaml:"file,omitempty" resolve:"path"`
	// Env is the name of an environment variable. Anybody who may look at the
	// process can read its environment: prefer a file or a credential.
	Env string `yaml:"env,omitempty"`
	// Credential is the name of a systemd credential (LoadCredential=).
	Credential string `yaml:"credential,omitempty"`
}

// IsZero reports whether r names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// String says where the secret is kept, for messages: it is no secret itself.
func (r Ref) String() string {
	switch {
	case r.File != "":
		return r.File
	case r.Env != "":
		return "$" + r.Env
	case r.Credential != "":
		return "credential " + r.Credential
	}
	return "nothing"
}

// Read returns the secret as it stands now: a file that was replaced in the
// meantime is read anew. Its errors name the place and the way out, never the
// content. The zero Ref, an empty secret and a world-readable file are errors.
func (r Ref) Read() (Secret, error) {
	switch {
	case r.File != "":
		return readFile(r.File, true)
	case r.Env != "":
		v := os.Getenv(r.Env)
		if v == "" {
			return Secret{}, fmt.Errorf("environment variable %s is not set or empty", r.Env)
		}
		return NewSecret(v), nil
	case r.Credential != "":
		return r.readCredential()
	}
	return Secret{}, errors.New("no secret named; set file, env or credential")
}

func (r Ref) readCredential() (Secret, error) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	switch {
	case dir == "":
		return Secret{}, fmt.Errorf("credential %[1]s: only systemd can give it ($CREDENTIALS_DIRECTORY is not set); to check by hand: systemd-run --wait --pipe -p LoadCredential=%[1]s:PATH credsync check; elsewhere use {file: PATH}", r.Credential)
	case r.Credential != filepath.Base(r.Credential) || strings.HasPrefix(r.Credential, "."):
		return Secret{}, fmt.Errorf("credential %q is not a plain name", r.Credential)
	}
	// systemd guards the directory itself, by an ACL that mode bits don't show.
	return readFile(filepath.Join(dir, r.Credential), false)
}

// ReadIssued returns the secret in the file at path, which a platform puts there
// and guards in its own way: what the mode bits let others do is not judged.
// Otherwise it is as [Ref.Read].
func ReadIssued(path string) (Secret, error) { return readFile(path, false) }

func readFile(path string, guarded bool) (Secret, error) {
	// Opening a pipe would wait for somebody to write into it.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return Secret{}, fmt.Errorf("%s: not a regular file", path)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return Secret{}, fmt.Errorf("%s: %w; let this user read it: chown or chmod the file, or the directory above it that is closed", path, cause(err))
	}
	if err != nil {
		return Secret{}, fmt.Errorf("%s: %w", path, cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return Secret{}, fmt.Errorf("%s: %w", path, cause(err))
	case guarded && info.Mode().Perm()&0o002 != 0:
		return Secret{}, fmt.Errorf("%s: anybody can put another secret there (mode %04o); run chmod 600 %s", path, info.Mode().Perm(), path)
	case guarded && info.Mode().Perm()&0o004 != 0:
		return Secret{}, fmt.Errorf("%s: readable by everybody (mode %04o); run chmod 600 %s; for a Kubernetes volume set defaultMode: 0400, or 0440 with fsGroup", path, info.Mode().Perm(), path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	switch v := strings.TrimRight(string(b), "\r\n"); {
	case err != nil:
		return Secret{}, fmt.Errorf("%s: %w", path, cause(err))
	case len(b) > maxSecretFile:
		return Secret{}, fmt.Errorf("%s: longer than %d bytes; a secret is expected", path, maxSecretFile)
	case strings.TrimSpace(v) == "":
		return Secret{}, fmt.Errorf("%s: empty; write the secret into it", path)
	default:
		return NewSecret(v), nil
	}
}

// cause strips the path that [os.PathError] repeats.
func cause(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err
	}
	return err
}

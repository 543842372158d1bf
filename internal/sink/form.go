package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/credential"
)

// A Field is one named value of a secret.
type Field struct {
	Name  string
	Value credential.Secret
}

// An Encoding turns fields into the bytes that a sink will hold. The same
// fields always give the same bytes, whatever their order.
type Encoding func([]Field) (credential.Secret, error)

// A Form says how the records of one sink are made.
type Form struct {
	Kind   string // the kind of sink as the configuration names it: "vault_kv"
	Scope  string // where in the backend names stand: a mount, a region; see [credential.FingerprintKey.Sum]
	Encode Encoding
}

// Record returns the record to store at name. An error means that the fields
// can't be encoded; it wraps [ErrInvalid].
func (f Form) Record(key credential.FingerprintKey, owner Owner, name string, fields []Field) (Record, error) {
	body, err := f.Encode(fields)
	if err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return Record{Owner: owner, Body: body, Fingerprint: key.Sum(f.Kind, f.Scope, name, body), Key: key.ID()}, nil
}

// JSON encodes fields as one JSON object, keys sorted, HTML characters as they
// are.
func JSON(fields []Field) (credential.Secret, error) {
	object := make(map[string]string, len(fields))
	for _, f := range fields {
		object[f.Name] = f.Value.Reveal()
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(object); err != nil {
		return credential.Secret{}, err
	}
	return credential.NewSecret(strings.TrimSuffix(b.String(), "\n")), nil
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// ValidEnvName reports whether name can stand left of the = in a file of
// environment variables.
func ValidEnvName(name string) bool { return envName.MatchString(name) }

// plainEnv matches values that every reader of such a file takes as they are.
var plainEnv = regexp.MustCompile(`^[A-Za-z0-9._:/@%+=,-]*$`)

// Env encodes fields as lines KEY=VALUE, sorted by key, as systemd's
// EnvironmentFile= and a POSIX shell both read them: a value is quoted where it
// has to be. Control characters are refused, because the two differ there.
func Env(fields []Field) (credential.Secret, error) {
	sorted := slices.Clone(fields)
	slices.SortFunc(sorted, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`)
	var b strings.Builder
	for _, f := range sorted {
		if !ValidEnvName(f.Name) {
			return credential.Secret{}, fmt.Errorf("field %q is no name of an environment variable", f.Name)
		}
		v := f.Value.Reveal()
		if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return credential.Secret{}, fmt.Errorf("field %s holds a control character, which an environment file can't", f.Name)
		}
		if !plainEnv.MatchString(v) {
			v = `"` + quote.Replace(v) + `"`
		}
		b.WriteString(f.Name + "=" + v + "\n")
	}
	return credential.NewSecret(b.String()), nil
}

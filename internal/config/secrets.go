package config

import (
	"reflect"
	"strings"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/sink"
)

// checkSecrets reads each secret that c names, and forgets it.
func (c *Config) checkSecrets(r *report) {
	walk(reflect.ValueOf(c), nil, func(v reflect.Value, _ reflect.StructTag, at keys) {
		ref, ok := reflect.TypeAssert[credential.Ref](v)
		switch {
		case !ok || ref.IsZero():
		case ref.Env != "" && !sink.ValidEnvName(ref.Env):
			// It could be the secret.
			r.fault(at.child("env"), "not the name of a variable", "write the name of the environment variable that holds the secret")
		default:
			if _, err := ref.Read(); err != nil {
				unreadable(r, at, ref, err)
			}
		}
	})
}

// A filer is a part of a configuration that names files, each of them no secret
// alone, and knows what has to be in them.
type filer interface{ FileFaults() fault.List }

// checkFiles has each part look into the files that it names.
func (c *Config) checkFiles(r *report) {
	walk(reflect.ValueOf(c), nil, func(v reflect.Value, _ reflect.StructTag, at keys) {
		if f, ok := reflect.TypeAssert[filer](v); ok {
			r.faults(at, f.FileFaults())
		}
	})
}

// unreadable reports why ref could not be read. Where the error knows no way
// out, it is to make what is missing.
func unreadable(r *report, at keys, ref credential.Ref, err error) {
	key, hint := "credential", "let systemd load it (LoadCredential=)"
	switch {
	case ref.File != "":
		key, hint = "file", "correct the path, which is relative to this file, or write the secret there for this user to read (chmod 600)"
	case ref.Env != "":
		key, hint = "env", "set it where credsync is started, or use a file"
	}
	problem, way, found := strings.Cut(err.Error(), "; ")
	if found {
		hint = way
	}
	r.fault(at.child(key), problem, hint)
}

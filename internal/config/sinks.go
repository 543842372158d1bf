package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/suggest"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/sink"
)

// settings is what the Config types of all kinds of sinks can tell.
type settings interface {
	Faults() fault.List
	Form() sink.Form
	NameTemplate() string
	Place() string
}

var kindsOfSinks = []string{"vault_kv", "aws_secrets_manager", "file"}

// kinds returns the kinds that s sets; a good Sink has one.
func (s Sink) kinds() (given []string, set settings) {
	if s.VaultKV != nil {
		given, set = append(given, "vault_kv"), s.VaultKV
	}
	if s.AWS != nil {
		given, set = append(given, "aws_secrets_manager"), s.AWS
	}
	if s.File != nil {
		given, set = append(given, "file"), s.File
	}
	return given, set
}

func (c *Config) checkSinks(r *report) {
	used := make(map[string]bool)
	for _, j := range c.Jobs {
		for _, name := range j.Sinks {
			used[name] = true
		}
	}
	places := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(c.Sinks)) {
		at, s := keys{"sinks", name}, c.Sinks[name]
		given, set := s.kinds()
		if !exactlyOne(r, at, "kind of sink", given, kindsOfSinks) {
			continue
		}
		faults := set.Faults()
		r.faults(at.child(given[0]), faults)
		s.checkFields(r, at.child("fields"), set.Form())
		if !used[name] {
			r.advise(at, "no job uses this sink", "remove it, or name it in a job")
		}
		if len(faults) > 0 {
			continue
		}
		place := given[0] + " " + set.Place()
		if other, ok := places[place]; ok {
			r.fault(at, fmt.Sprintf("writes to the same names at the same place as sink %q", other), "keep one of the two, or give one another name template")
		}
		places[place] = name
	}
}

// fieldPlaceholder matches what looks like a placeholder; other braces are
// text, as a value may be JSON.
var fieldPlaceholder = regexp.MustCompile(`\{([A-Za-z][A-Za-z0-9_-]*)\}`)

var fieldPlaceholders = []string{"client_id", "client_secret", "skill_id", "skill_uuid", "label", "instance"}

func (s Sink) checkFields(r *report, at keys, form sink.Form) {
	if len(s.Fields) == 0 {
		r.fault(at, "no field in it", "name what to store, as client_secret: \"{client_secret}\", or remove the key")
		return
	}
	secret := false
	for _, name := range slices.Sorted(maps.Keys(s.Fields)) {
		value := s.Fields[name]
		secret = secret || strings.Contains(value, "{client_secret}")
		if name == "" {
			r.fault(at, "a field without a name", "name it")
			continue
		}
		// The encoding knows what names it can hold.
		if _, err := form.Encode([]sink.Field{{Name: name, Value: credential.NewSecret("x")}}); err != nil {
			r.fault(at.child(name), err.Error(), "rename it")
		}
		for _, m := range fieldPlaceholder.FindAllStringSubmatch(value, -1) {
			if !slices.Contains(fieldPlaceholders, m[1]) {
				r.fault(at.child(name), fmt.Sprintf("{%s} is no placeholder", m[1]), suggest.Hint(m[1], fieldPlaceholders, "placeholders"))
			}
		}
	}
	if !secret {
		r.advise(at, "no field holds {client_secret}", "add one, unless the secret is not wanted in this sink")
	}
}

package file

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"filippo.io/age"

	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/sink"
)

// A Config is what the configuration says of a file sink.
type Config struct {
	// Dir is the directory of the files. It is made at the first write.
	Dir string `yaml:"dir" resolve:"path"`
	// Name is the template of the files' names, one element of a path:
	// "{skill_id}.json".
	Name string `yaml:"name"`
	// Format is json (one object, the default) or env (lines KEY=VALUE, as
	// systemd's EnvironmentFile= and a shell read them).
	Format string `yaml:"format,omitempty"`
	// Mode is the mode of the files, in octal; default 0600.
	Mode string `yaml:"mode,omitempty"`
	// DirMode is the mode of the directory where credsync makes it, in octal;
	// default 0700.
	DirMode string `yaml:"dir_mode,omitempty"`
	// Group is the group of the files, and of the directory where credsync makes
	// it: a name or a number; default is what the system gives.
	Group string `yaml:"group,omitempty"`
	// EncryptTo lists age recipients (age1…). Where there are any, the files are
	// encrypted to them, and credsync itself can't read what it wrote.
	EncryptTo []string `yaml:"encrypt_to,omitempty"`
}

// typicalSkillID is as long as the skill IDs that Amazon issues:
// amzn1.ask.skill. and a UUID.
const typicalSkillID = len("amzn1.ask.skill.") + typicalUUID

const typicalUUID = 36

// Faults returns what is wrong with c, each with the way out.
func (c Config) Faults() fault.List {
	_, faults := c.parse()
	return faults
}

// Form says how the records of this sink are made. Files encrypted to other
// recipients are other files: they stand in its scope.
func (c Config) Form() sink.Form {
	f := sink.Form{Kind: kind, Encode: sink.JSON}
	if c.Format == "env" {
		f.Encode = sink.Env
	}
	if len(c.EncryptTo) > 0 {
		recipients := slices.Sorted(slices.Values(c.EncryptTo))
		sum := sha256.Sum256([]byte(strings.Join(slices.Compact(recipients), "\n")))
		f.Scope = "age-" + hex.EncodeToString(sum[:8])
	}
	return f
}

// NameTemplate returns the template of the names.
func (c Config) NameTemplate() string { return c.Name }

// Place tells where c writes: two sinks of one place would write over each
// other.
func (c Config) Place() string { return kind + " " + filepath.Clean(c.Dir) + " " + c.Name }

// parse returns the sink that c describes, as far as the faults allow.
func (c Config) parse() (Sink, fault.List) {
	var faults fault.List
	s := Sink{dir: filepath.Clean(c.Dir), gid: -1}
	if c.Dir == "" {
		faults.Add("dir", "missing", "set it to the directory that the files belong in")
	}
	s.names = parseName(c.Name, &faults)
	switch c.Format {
	case "", "json", "env":
	default:
		faults.Add("format", fmt.Sprintf("%q is no format", c.Format), "set it to json or env")
	}
	s.mode = parseMode("mode", c.Mode, 0o600, &faults)
	if s.mode&0o133 != 0 || s.mode&0o400 == 0 {
		faults.Add("mode", fmt.Sprintf("%04o is no mode for a secret", s.mode), "others may read at most and the owner has to: set it to 0600, 0640 or 0400")
	}
	s.dirMode = parseMode("dir_mode", c.DirMode, 0o700, &faults)
	if s.dirMode&0o700 != 0o700 || s.dirMode&0o002 != 0 {
		faults.Add("dir_mode", fmt.Sprintf("%04o is no mode for a directory of secrets", s.dirMode), "the owner needs all rights, and not everybody may write: set it to 0700 or 0750")
	}
	if c.Group != "" {
		s.gid = parseGroup(c.Group, &faults)
	}
	s.recipients = parseRecipients(c.EncryptTo, &faults)
	return s, faults
}

func parseName(text string, faults *fault.List) sink.Template {
	if text == "" {
		faults.Add("name", "missing", `set it to the template of the files' names: "{skill_id}.json"`)
		return sink.Template{}
	}
	t, err := sink.ParseTemplate(text)
	if err != nil {
		faults.Add("name", err.Error(), `write a name that tells skills apart: "{skill_id}.json"`)
		return sink.Template{}
	}
	// What the placeholders may stand for is harmless, so a sample stands for all.
	sample := strings.NewReplacer("{skill_id}", strings.Repeat("s", typicalSkillID),
		"{skill_uuid}", strings.Repeat("u", typicalUUID), "{label}", "l", "{instance}", "i").Replace(text)
	switch err := validName(sample); {
	case err == nil:
	case len(sample) > maxName:
		faults.Add("name", fmt.Sprintf("names of %d bytes and more; a file name and its mark have room for %d", len(sample), maxName), "shorten it")
	default:
		faults.Add("name", fmt.Sprintf("%q gives no name of a file in the directory: it begins with a dot or has a slash, a backslash or a control character", text), "put directories into dir and a plain name here")
	}
	return t
}

func parseMode(field, text string, byDefault fs.FileMode, faults *fault.List) fs.FileMode {
	if text == "" {
		return byDefault
	}
	n, err := strconv.ParseUint(text, 8, 32)
	if err != nil || n > 0o777 {
		faults.Add(field, fmt.Sprintf("%q is no mode", text), fmt.Sprintf(`write it in octal and in quotes: "%04o"`, byDefault))
		return byDefault
	}
	return fs.FileMode(n)
}

func parseGroup(name string, faults *fault.List) int {
	id := name
	if _, err := strconv.Atoi(name); err != nil {
		g, err := user.LookupGroup(name)
		if err != nil {
			faults.Add("group", fmt.Sprintf("there is no group %q on this system", name), "create it, or write the number of one")
			return -1
		}
		id = g.Gid
	}
	gid, err := strconv.Atoi(id)
	if err != nil || gid < 0 {
		faults.Add("group", fmt.Sprintf("%q has no group number on this system", name), "leave it out")
		return -1
	}
	return gid
}

// parseRecipients never shows a recipient that is none: it may be the secret
// key, pasted by mistake.
func parseRecipients(texts []string, faults *fault.List) []age.Recipient {
	var recipients []age.Recipient
	hybrids := 0
	for n, text := range texts {
		field := fmt.Sprintf("encrypt_to.%d", n)
		parsed, err := age.ParseRecipients(strings.NewReader(text))
		switch {
		case strings.HasPrefix(strings.ToUpper(strings.TrimSpace(text)), "AGE-SECRET-KEY-"):
			faults.Add(field, "this is a secret key", "take it out of the configuration, and write the recipient that age-keygen -y prints for it")
		case err != nil || len(parsed) != 1:
			faults.Add(field, "no age recipient", "write one that begins with age1, as age-keygen prints it")
		default:
			recipients = append(recipients, parsed[0])
			if _, ok := parsed[0].(*age.HybridRecipient); ok {
				hybrids++
			}
		}
	}
	if hybrids > 0 && hybrids < len(recipients) {
		faults.Add("encrypt_to", "age doesn't mix recipients that resist quantum computers with others", "take only age1pq1… or none of them")
	}
	return recipients
}

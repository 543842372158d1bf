package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/credsync/credsync/internal/fault"
)

// maxSize bounds a configuration file. Long skill lists have files of their own.
const maxSize = 1 << 20

// Load reads the configuration in the file at path, which errors name as it
// stands here. It reads each secret once, to know that it can, and forgets it;
// it asks no server. An error is an [*Error].
func Load(path string) (*Config, error) { return loadWith(path, (*Config).lookAround) }

// Peek is Load for who needs no secret, and may not have the right to any: it
// reads none, and no other file that is named has to be there.
func Peek(path string) (*Config, error) { return loadWith(path, func(*Config, *report) {}) }

func loadWith(path string, look func(*Config, *report)) (*Config, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	c, err := parse(data, path, look)
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	if e, ok := errors.AsType[*Error](err); ok {
		e.SHA256 = digest
		return nil, e
	}
	c.SHA256 = digest
	return c, nil
}

func read(path string) ([]byte, error) {
	const another = "or name another file with -c PATH or $CREDSYNC_CONFIG"
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, failure(path, "no such file", "write one (credsync init asks for what it needs, and credsync emulator makes one to try), "+another)
	case errors.Is(err, fs.ErrPermission):
		return nil, failure(path, "not readable by this user", "run as a user who may read it, give this one the right (chgrp and chmod 640), "+another)
	case err != nil:
		return nil, failure(path, fault.Cause(err).Error(), "name another file with -c PATH or $CREDSYNC_CONFIG")
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, failure(path, "a directory", fmt.Sprintf("name the file in it, as -c %s", filepath.Join(path, "credsync.yaml")))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, failure(path, "can't be read: "+fault.Cause(err).Error(), "")
	}
	return data, nil
}

// Sketch is [Peek] at data that is going to stand in the file at path.
func Sketch(data []byte, path string) (*Config, error) {
	return parse(data, path, func(*Config, *report) {})
}

// parse makes a Config of the content of the file at path. What it names is
// looked at in the given way.
func parse(data []byte, path string, look func(*Config, *report)) (*Config, error) {
	doc, err := parseDocument(data, path)
	if err != nil {
		return nil, err
	}
	r := &report{doc: doc}
	c := &Config{Path: path, Instance: defaultInstance, StateDir: stateDirectory()}
	if fit(r, reflect.TypeOf(*c)) {
		if err := doc.root.Decode(c); err != nil {
			// Not to be expected after fit. The error could quote anything.
			r.at(0, nil, "can't be made sense of", "compare it with configs/credsync.yaml")
		} else {
			c.finish(r, look)
		}
	}
	if len(r.problems) > 0 {
		return nil, &Error{Problems: inOrder(r.problems)}
	}
	c.Advice = inOrder(r.advice)
	c.lines = laterLines(doc)
	return c, nil
}

// finish makes a decoded Config whole and checks it.
func (c *Config) finish(r *report, look func(*Config, *report)) {
	for name, s := range c.Sinks {
		if s.Fields == nil {
			s.Fields = defaultFields()
			c.Sinks[name] = s
		}
	}
	c.resolve(r)
	look(c, r)
	c.check(r)
}

// lookAround checks what c names on this machine.
func (c *Config) lookAround(r *report) {
	c.checkSecrets(r)
	c.checkFiles(r)
	c.checkAuditFiles(r)
}

// stateDirectory returns the directory that systemd made for the service; of
// several, the first.
func stateDirectory() string {
	dir, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":")
	return dir
}

func parseDocument(data []byte, path string) (*document, error) {
	const start = "start from configs/minimal.yaml"
	switch {
	case len(data) > maxSize:
		return nil, failure(path, "larger than 1 MiB", "move lists of skills to files of their own (skills: {file: PATH})")
	case !utf8.Valid(data):
		return nil, failure(path, "not UTF-8", "save it as UTF-8 text")
	case len(strings.TrimSpace(strings.TrimPrefix(string(data), "\ufeff"))) == 0:
		return nil, failure(path, "empty", start)
	}
	var documents []yaml.Node
	if err := yaml.Load(data, &documents, yaml.WithAllDocuments()); err != nil {
		return nil, syntax(err, path, bytes.Count(data, []byte("\n"))+1)
	}
	if len(documents) == 0 || len(documents[0].Content) == 0 || isNull(documents[0].Content[0]) {
		return nil, failure(path, "nothing but comments in it", start)
	}
	if len(documents) > 1 {
		e := failure(path, "a second document (---) begins here", "write one document; each instance has a file of its own")
		e.Problems[0].Line = documents[1].Line
		return nil, e
	}
	return &document{path: path, root: documents[0].Content[0]}, nil
}

// syntax translates what the parser says. Its messages are fixed texts, but for
// those that quote the file, which are replaced. It may count a line more than
// there are.
func syntax(err error, path string, lines int) *Error {
	e := failure(path, "not valid YAML", "compare it with configs/credsync.yaml")
	le, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		return e
	}
	p := &e.Problems[0]
	p.Line = min(max(le.Mark.Line, 0), lines)
	switch {
	case strings.Contains(le.Message, "anchor"):
		p.Problem, p.Hint = "an alias (*) to an anchor that is not there", "quote a value that begins with *"
	case strings.Contains(le.Message, "cannot start any token"):
		p.Problem, p.Hint = "not valid YAML: a tab, or a character that no value may begin with", "indent with spaces, and quote values that begin with @, ` or %"
	case strings.Contains(le.Message, "mapping values are not allowed"):
		p.Problem, p.Hint = "not valid YAML: a colon where none may stand", "quote values that hold a colon and a space, and check the indentation"
	case strings.Contains(le.Message, "expected node content"):
		p.Problem = "not valid YAML: a [ or { is not closed, or a value is missing"
	case strings.ContainsAny(le.Message, "`\""):
	default:
		p.Problem = "not valid YAML: " + le.Message
	}
	if start := le.ContextMark.Line; start > 0 && start < p.Line {
		p.Problem += fmt.Sprintf(", %s that begins on line %d", le.ContextMsg, start)
	}
	return e
}

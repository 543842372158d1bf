package file

import (
	"fmt"
	"strings"

	"github.com/credsync/credsync/internal/sink"
)

const (
	// maxElement is the longest element of a path that file systems take, in bytes.
	maxElement = 255

	markPrefix, markSuffix = ".", ".credsync"

	// maxName leaves room for the name of the mark.
	maxName = maxElement - len(markPrefix) - len(markSuffix)

	// The temporary files have fixed names: only who holds the lock has any. No
	// secret's name begins with a dot, so neither they nor marks meet one.
	temporaryFile = ".credsync.tmp"
	temporaryMark = ".credsync-mark.tmp"
)

// markOf returns the name of the mark of the file at name.
func markOf(name string) string { return markPrefix + name + markSuffix }

// markedName returns the name of the file that a mark belongs to.
func markedName(mark string) (string, bool) {
	name, ok := strings.CutPrefix(mark, markPrefix)
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, markSuffix)
	return name, ok && validName(name) == nil
}

// validName returns nil where name can be that of a secret.
func validName(name string) error {
	problem := ""
	switch {
	case name == "":
		problem = "an empty name"
	case name[0] == '.':
		problem = "a name that begins with a dot; those are for credsync's own files"
	case strings.ContainsAny(name, `/\`):
		problem = "a name of several path elements"
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		problem = "a name with a control character"
	case len(name) > maxName:
		problem = fmt.Sprintf("a name of %d bytes; %d is the most that leaves room for its mark", len(name), maxName)
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", sink.ErrInvalid, problem)
}

package file

import (
	"fmt"
	"path/filepath"

	"github.com/credsync/credsync/internal/sink"
)

// Policy says what c needs of the system: nobody has to be asked for rights, but
// the directory has to be writable.
func (c Config) Policy() sink.Policy {
	return sink.Policy{
		For: "the user that credsync runs as",
		Text: fmt.Sprintf("No policy is needed: files belong to who runs credsync. It has to be able to write\nin %s or, where that is not there yet, in %s.\n",
			c.Dir, filepath.Dir(c.Dir)),
	}
}

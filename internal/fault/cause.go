package fault

import (
	"errors"
	"os"
)

// Cause returns why an operation on a file failed, without the operation and
// the path that package os puts before it: a message says those in its own way.
// Other errors are returned as they are.
func Cause(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err
	}
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		return le.Err
	}
	return err
}

//go:build !linux && !darwin

package file

// renameNew moves from to a name that must be new: where something stands, the
// error wraps [os.ErrExist] and nothing happens.
func (d *directory) renameNew(from, to string) error { return d.linkNew(from, to) }

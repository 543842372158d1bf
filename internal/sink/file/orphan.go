package file

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"github.com/credsync/credsync/internal/sink"
)

// dirBatch is how many names of a directory are in memory at once.
const dirBatch = 1024

// Orphans implements [sink.Orphaner]: it goes by the marks, and leaves out those
// whose file is gone.
func (s *Sink) Orphans(ctx context.Context, instance string, known func(string) bool) (map[string]sink.State, error) {
	orphans := make(map[string]sink.State)
	ours := s.names.Matcher(instance)
	err := s.observed(ctx, "orphans", func() error {
		d, err := s.open()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer d.close()
		for {
			entries, err := d.self.ReadDir(dirBatch)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			for _, e := range entries {
				name, ok := markedName(e.Name())
				if !ok || known(name) || !ours.MatchString(name) {
					continue
				}
				now, err := d.look(ctx, name)
				if err != nil {
					return err
				}
				if now.state.Owner.Instance == instance && now.file.info != nil {
					orphans[name] = now.state
				}
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return orphans, nil
}

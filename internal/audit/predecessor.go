package audit

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// rotated matches what logrotate puts into a name, before its extension or at
// the end.
var rotated = regexp.MustCompile(`^[.-][0-9][0-9T:_.-]*$`)

// predecessor returns the end of the chain in the file that was at path before,
// and its name: of those that look rotated, the one written last. The zero Head
// means that none is found whose last record bears s.
func predecessor(path string, s *seal) (Head, string) {
	dir, base := filepath.Split(path)
	files, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return Head{}, ""
	}
	var found []os.FileInfo
	for _, f := range files {
		if info, err := f.Info(); err == nil && info.Mode().IsRegular() && isRotated(f.Name(), base) {
			found = append(found, info)
		}
	}
	slices.SortFunc(found, func(a, b os.FileInfo) int {
		return cmp.Or(b.ModTime().Compare(a.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	for _, info := range found {
		if head := endOf(dir+info.Name(), s); head != (Head{}) {
			return head, dir + info.Name()
		}
	}
	return Head{}, ""
}

// isRotated reports whether name is base with the mark of a rotation.
func isRotated(name, base string) bool {
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	mark, ok := strings.CutPrefix(name, base)
	if !ok && strings.HasPrefix(name, stem) {
		mark, ok = strings.CutSuffix(name[len(stem):], ext)
	}
	return ok && rotated.MatchString(mark)
}

// endOf returns the last record of the file at path. The lock tells that nobody
// is about to append one: who takes it later sees that the file was renamed.
func endOf(path string, s *seal) Head {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return Head{}
	}
	defer f.Close()
	if err := lock(f.Fd()); err != nil {
		return Head{}
	}
	info, err := f.Stat()
	if err != nil {
		return Head{}
	}
	t, err := readTail(f, info.Size(), s)
	if err != nil { // compressed, of another key, or no trail
		return Head{}
	}
	return t.head
}

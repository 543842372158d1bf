package fault_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/fault"
)

func TestWithinPutsThePartBeforeItsFields(t *testing.T) {
	var part, whole fault.List
	part.Add("", "two kinds", "keep one")
	part.Add("role_id", "missing", "set it")
	whole.Add("address", "missing", "set it")
	whole.Within("auth.approle", part)
	whole.Within("", part)
	var fields []string
	for _, f := range whole {
		fields = append(fields, f.Field)
	}
	if diff := cmp.Diff([]string{"address", "auth.approle", "auth.approle.role_id", "", "role_id"}, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestCauseLeavesOutWhatTheMessageSays(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	_, opened := os.Open(missing)
	other := errors.New("other")
	for name, row := range map[string]struct{ err, want error }{
		"a path":  {opened, syscall.ENOENT},
		"a link":  {os.Rename(missing, missing+"2"), syscall.ENOENT},
		"neither": {other, other},
		"nothing": {nil, nil},
	} {
		if got := fault.Cause(row.err); got != row.want { //nolint:errorlint // the very error is meant
			t.Errorf("%s: got %v, want %v", name, got, row.want)
		}
	}
}

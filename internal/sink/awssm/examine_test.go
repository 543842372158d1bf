package awssm

import (
	"errors"
	"testing"
	"time"

	"github.com/credsync/credsync/internal/doctor"
	"github.com/credsync/credsync/internal/sink"
)

func TestExamination(t *testing.T) {
	r := newRig(t)
	found := doctor.Examine(t.Context(), r.sink.Examination(), time.Minute)
	if len(found) != 4 {
		t.Errorf("%d findings", len(found))
	}
	for _, f := range found {
		if f.Err != nil || f.After != "" {
			t.Errorf("%s: %v, after %q", f.Name, f.Err, f.After)
		}
	}
}

func TestExaminationWithoutAnIdentity(t *testing.T) {
	plainEnvironment(t)
	for _, key := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(key, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	s, err := Open(testConfig("http://127.0.0.1:1"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	found := doctor.Examine(t.Context(), s.Examination(), time.Minute)
	if !errors.Is(found[0].Err, sink.ErrDenied) {
		t.Errorf("%s: %v", found[0].Name, found[0].Err)
	}
	for _, f := range found[1:] {
		if f.After != "identity" {
			t.Errorf("%s: %v, after %q", f.Name, f.Err, f.After)
		}
	}
}

package doctor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/doctor"
)

func step(name string, err error, needs ...string) doctor.Step {
	return doctor.Step{Name: name, Needs: needs, Do: func(context.Context) ([]string, error) { return nil, err }}
}

func TestAFailureHidesOnlyWhatNeedsIt(t *testing.T) {
	down := errors.New("down")
	found := doctor.Examine(t.Context(), []doctor.Step{
		step("reach", nil), step("login", down, "reach"), step("clock", nil, "reach"),
		step("mount", nil, "login"), step("policy", nil, "mount"), step("disk", down),
	}, time.Minute)
	got := make(map[string]string)
	for _, f := range found {
		got[f.Name] = f.After
		if f.Err != nil {
			got[f.Name] = f.Err.Error()
		}
	}
	want := map[string]string{"reach": "", "login": "down", "clock": "", "mount": "login", "policy": "login", "disk": "down"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestAStepThatHangsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forever := make(chan struct{})
		defer close(forever)
		start := time.Now()
		found := doctor.Examine(t.Context(), []doctor.Step{
			{Name: "heeds", Do: func(ctx context.Context) ([]string, error) { <-ctx.Done(); return nil, ctx.Err() }},
			{Name: "hangs", Do: func(context.Context) ([]string, error) { <-forever; return nil, nil }},
			step("after", nil),
		}, 30*time.Second)
		if took := time.Since(start); took > time.Minute+2*time.Second {
			t.Errorf("it took %s", took)
		}
		for _, f := range found[:2] {
			if f.Err == nil || !strings.Contains(f.Err.Error(), "no end within 30s") {
				t.Errorf("%s: %v", f.Name, f.Err)
			}
		}
		if found[2].Err != nil || found[2].After != "" {
			t.Errorf("what follows: %+v", found[2])
		}
	})
}

func TestSkew(t *testing.T) {
	for apart, want := range map[time.Duration]int{0: 0, 4 * time.Minute: 0, -6 * time.Minute: 1, time.Hour: 1} {
		if advice := doctor.Skew("Vault", time.Now().Add(apart)); len(advice) != want {
			t.Errorf("%s apart: %q", apart, advice)
		}
	}
}

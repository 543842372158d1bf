package sinktest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/sink"
)

var basic = []testCase{
	{"a name never written has the zero State", func(b *bench) {
		if diff := cmp.Diff(sink.State{}, b.inspect(1)); diff != "" {
			b.Errorf("(-want +got):\n%s", diff)
		}
	}},
}

var _ = testing.Short

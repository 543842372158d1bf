package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version and commit are set when a release is linked, commit only where the
// source comes without its history; otherwise the build info tells.
var version, commit string

type versionCmd struct{}

// Help is what --help adds.
func (versionCmd) Help() string {
	return `Examples:
  credsync version`
}

func (versionCmd) Run(t terminal) error {
	v, revision := buildVersion()
	_, err := fmt.Fprintf(t.out, "credsync %s\ncommit   %s\n%s %s/%s\n", v, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func buildVersion() (v, revision string) {
	v, revision = cmp.Or(version, "devel"), cmp.Or(commit, "unknown")
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v, revision
	}
	if version == "" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return v, revision
}

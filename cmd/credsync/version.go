package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set when a release is linked; otherwise the build info tells.
var version string

type versionCmd struct{}

// Help is what --help adds.
func (versionCmd) Help() string {
	return `Examples:
  credsync version`
}

func (versionCmd) Run(t terminal) error {
	v, commit := buildVersion()
	_, err := fmt.Fprintf(t.out, "credsync %s\ncommit   %s\n%s %s/%s\n", v, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func buildVersion() (v, commit string) {
	v, commit = "devel", "unknown"
	info, ok := debug.ReadBuildInfo()
	if ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v = info.Main.Version
	}
	if version != "" {
		v = version
	}
	if ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	return v, commit
}

package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/alecthomas/kong"

	"github.com/credsync/credsync/configs"
	"github.com/credsync/credsync/internal/manual"
)

type manCmd struct {
	Page string `arg:"" optional:"" enum:"credsync,credsync.yaml" default:"credsync" help:"credsync or credsync.yaml."`
}

// Help is what --help adds.
func (manCmd) Help() string {
	return `The packages install the pages. Without them: credsync man | man -l -`
}

func (cmd manCmd) Run(k *kong.Context, t terminal) error {
	v, _ := buildVersion()
	date, err := buildDate()
	if err != nil {
		return usage(err)
	}
	edition := manual.Edition{Version: v, Date: date}
	if cmd.Page == "credsync.yaml" {
		return manual.Config(t.out, configs.Schema, configs.Minimal, edition)
	}
	return manual.Command(t.out, k.Model, edition)
}

// buildDate is when the program was made, so that the same source gives the same
// page: $SOURCE_DATE_EPOCH (reproducible-builds.org), or the commit, or now.
func buildDate() (time.Time, error) {
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("$SOURCE_DATE_EPOCH: %q is no number of seconds", epoch)
		}
		return time.Unix(seconds, 0), nil
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if date, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
				return date, nil
			}
		}
	}
	return time.Now(), nil
}

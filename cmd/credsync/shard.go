package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/credsync/credsync/internal/syncer"
)

// A shardFlag says which part of the lists a command is about.
type shardFlag struct {
	Shard string `placeholder:"I/N" help:"Only part I, from 0, of N of each list (default: $$JOB_COMPLETION_INDEX/$$CREDSYNC_SHARDS, else the whole)."`
}

// shard returns the part that is asked for. That of the environment is for whole
// lists: a command that names its skills means these, wherever it runs.
func (f shardFlag) shard(named bool) (syncer.Shard, error) {
	text, from := f.Shard, "--shard"
	switch {
	case text != "" && named:
		return syncer.Shard{}, usage(errors.New("--only and --shard together would leave out skills that are named; leave out one of the two"))
	case text == "" && !named:
		text, from = shardOfJob()
	}
	if text == "" {
		return syncer.Shard{}, nil
	}
	s, err := syncer.ParseShard(text)
	if err != nil {
		return s, usage(fmt.Errorf("%s: %w", from, err))
	}
	return s, nil
}

// shardOfJob is the shard that the environment asks for, or nothing. Kubernetes
// tells the pods of an indexed job their index, but not how many they are. One of
// the two alone is a slip: each pod would take the whole.
func shardOfJob() (text, from string) {
	index, count := os.Getenv("JOB_COMPLETION_INDEX"), os.Getenv("CREDSYNC_SHARDS")
	if index == "" && count == "" {
		return "", ""
	}
	return index + "/" + count, "$JOB_COMPLETION_INDEX/$CREDSYNC_SHARDS (set both, or say --shard)"
}

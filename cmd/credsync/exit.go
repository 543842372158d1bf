package main

import (
	"slices"

	"github.com/credsync/credsync/internal/syncer"
)

// An exitCode is part of the contract with scripts.
type exitCode int

const (
	exitOK      exitCode = 0 // done; plan: nothing to change
	exitFailed  exitCode = 1 // nothing of use could be done
	exitUsage   exitCode = 2 // usage or configuration; nothing was attempted
	exitPartial exitCode = 3 // some skills or sinks failed or were refused, the rest is done
	exitBrake   exitCode = 4 // the brake refused updates
	exitChanges exitCode = 5 // plan found something to change
)

// precedence is the order in which exit codes win over all jobs of a command.
var precedence = []exitCode{exitUsage, exitBrake, exitFailed, exitPartial, exitChanges, exitOK}

// judge makes one exit code of all passes of one command.
func judge(passes []syncer.Summary, plan bool) exitCode {
	useful := slices.ContainsFunc(passes, func(s syncer.Summary) bool { return s.Useful() || s.Spared() })
	codes := []exitCode{exitOK}
	for _, s := range passes {
		switch {
		case s.Brake != "":
			codes = append(codes, exitBrake)
		case s.Err != nil || s.Short() > 0:
			codes = append(codes, exitPartial)
		case plan && s.Changes() > 0:
			codes = append(codes, exitChanges)
		}
	}
	if !useful {
		codes = append(codes, exitFailed)
	}
	return worst(codes)
}

func worst(codes []exitCode) exitCode {
	return slices.MinFunc(codes, func(a, b exitCode) int {
		return slices.Index(precedence, a) - slices.Index(precedence, b)
	})
}

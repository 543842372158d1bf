package main

import (
	"errors"
	"io"
	"log"
	"os"
	"slices"
	"strings"
)

// harden shuts what a secret in this process could leave by, before the first
// one is read: the system's dumps of memory, Go's own logger, and variables that
// would lead the AWS SDK elsewhere. An error is for a person to know; nothing
// depends on it.
func harden() error {
	// net/http says here what a peer sent unasked, word for word, and under
	// GODEBUG=http2debug all that goes over the wire. We have a logger of our own.
	log.SetOutput(io.Discard) //nolint:forbidigo // so that nobody uses it
	return errors.Join(forget(os.Environ()), noDumps())
}

// misleading are the variables of the AWS SDK that change where it goes, whom
// it trusts and how often it tries; what they begin with, for the endpoints of
// single services. Whose credentials it takes is not among them.
var (
	misleading = []string{
		"AWS_CA_BUNDLE", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_STS_REGIONAL_ENDPOINTS", "AWS_DEFAULTS_MODE",
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "AWS_NEW_RETRIES_2026",
	}
	misleadingPrefix = "AWS_ENDPOINT_URL"
)

// forget removes what is misleading from the environment, which is like env.
// The clients that talk to AWS take nothing from there; but the SDK reads it
// all where it looks for credentials, and does not start on a bad value.
func forget(env []string) (err error) {
	for _, setting := range env {
		name, _, _ := strings.Cut(setting, "=")
		if slices.Contains(misleading, name) || strings.HasPrefix(name, misleadingPrefix) {
			err = errors.Join(err, os.Unsetenv(name))
		}
	}
	return err
}

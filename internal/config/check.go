package config

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/tracing"
)

var (
	instancePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	namePattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)
)

// check finds what a file can say that makes no sense.
func (c *Config) check(r *report) {
	if !instancePattern.MatchString(c.Instance) {
		r.fault(keys{"instance"}, fmt.Sprintf("%s can't be the name of an instance", quote(c.Instance)),
			"use 1 to 63 lower-case letters, digits, '.', '_' and '-', and begin with a letter or digit")
	}
	checkNames(r, "sources", c.Sources)
	checkNames(r, "sinks", c.Sinks)
	checkNames(r, "jobs", c.Jobs)
	c.checkSources(r)
	c.checkSinks(r)
	c.checkJobs(r)
	c.checkAudit(r)
	c.checkHTTP(r)
	if c.OTLPEndpoint != "" {
		r.faults(keys{"otlp_endpoint"}, tracing.Faults(c.OTLPEndpoint))
	}
	if w := c.Notify.Webhook; w != nil {
		r.faults(keys{"notify", "webhook"}, w.Faults())
	}
}

func checkNames[V any](r *report, section string, named map[string]V) {
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if !namePattern.MatchString(name) {
			r.fault(keys{section, name}, "not a name that works here",
				"use lower-case letters, digits, '.', '_' and '-', and begin with a letter or digit")
		}
	}
}

// exactlyOne reports where not exactly one of the kinds is given.
func exactlyOne(r *report, at keys, what string, given, kinds []string) bool {
	all := strings.Join(kinds, ", ")
	switch len(given) {
	case 1:
		return true
	case 0:
		hint := "add one of " + all
		if len(kinds) == 1 {
			hint = "add " + all
		}
		r.fault(at, "no "+what+" in it", hint)
	default:
		r.fault(at, fmt.Sprintf("more than one %s in it: %s", what, strings.Join(given, ", ")), "keep one of them, and give each other an entry of its own")
	}
	return false
}

func (c *Config) checkSources(r *report) {
	used := make(map[string]bool)
	for _, j := range c.Jobs {
		used[j.Source] = true
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		at, s := keys{"sources", name}, c.Sources[name]
		if s.SMAPI == nil {
			exactlyOne(r, at, "kind of source", nil, []string{"smapi"})
			continue
		}
		r.faults(at.child("smapi"), s.SMAPI.Faults())
		if !used[name] {
			r.advise(at, "no job uses this source", "remove it, or name it in a job")
		}
	}
}

func (c *Config) checkAudit(r *report) {
	if c.Audit != nil && len(c.Audit) == 0 {
		exactlyOne(r, keys{"audit"}, "destination", nil, []string{"file", "stream"})
	}
	first := make(map[string]keys) // of each kind
	for i, a := range c.Audit {
		at := auditAt(r, i)
		var given []string
		if a.File != "" {
			given = append(given, "file")
		}
		if a.Stream != "" {
			given = append(given, "stream")
			if a.Stream != "stdout" && a.Stream != "stderr" {
				r.fault(at.child("stream"), quote(a.Stream)+" is no stream", "set it to stdout or stderr")
			}
		}
		if !exactlyOne(r, at, "destination", given, []string{"file", "stream"}) {
			continue
		}
		if before, ok := first[given[0]]; ok {
			r.fault(at, "a second "+given[0]+" for the audit trail, beside "+before.String(), "keep one file and one stream at most")
		}
		first[given[0]] = at
	}
}

// auditAt returns where destination i stands, which may be written as a mapping
// or in a list.
func auditAt(r *report, i int) keys {
	if _, written := lookup(r.doc.root, "audit"); written.Kind == yaml.SequenceNode {
		return keys{"audit"}.element(i)
	}
	return keys{"audit"}
}

// checkAuditFiles looks whether there is a directory for each audit file.
func (c *Config) checkAuditFiles(r *report) {
	for i, a := range c.Audit {
		if a.File != "" {
			checkAuditFile(r, auditAt(r, i).child("file"), a.File)
		}
	}
}

func checkAuditFile(r *report, at keys, path string) {
	dir := filepath.Dir(path)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		r.fault(at, path+" is a directory", "name a file in it")
	} else if info, err := os.Stat(dir); err != nil {
		r.fault(at, fmt.Sprintf("directory %s: %s", dir, fault.Cause(err)), "make it, or let systemd do so (LogsDirectory=)")
	} else if !info.IsDir() {
		r.fault(at, dir+" is not a directory", "name a file in a directory")
	}
}

var hostPattern = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

func (c *Config) checkHTTP(r *report) {
	for i, host := range c.HTTP.AllowedHosts {
		if !hostPattern.MatchString(host) {
			r.fault(keys{"http", "allowed_hosts"}.element(i), quote(host)+" is no name of a host", "write it as credsync.example.com, without a port or a wildcard")
		}
	}
	if c.HTTP.Listen == "" {
		return
	}
	at := keys{"http", "listen"}
	host, port, err := net.SplitHostPort(c.HTTP.Listen)
	if n, numErr := strconv.Atoi(port); err != nil || numErr != nil || n < 0 || n > 65535 || strings.ContainsAny(host, " /") {
		r.fault(at, quote(c.HTTP.Listen)+" is no address to listen on", "write it as 127.0.0.1:9464 or [::1]:9464")
		return
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		r.advise(at, "others than this host can reach the status page, which asks for no password",
			"listen on 127.0.0.1, or let a firewall or a proxy decide who may see names of skills and sinks")
	}
}

// ListenFault says that the address of http.listen can't be listened on.
func (c *Config) ListenFault(cause error) error {
	return &Error{Problems: []Problem{{
		File: c.Path, Line: c.lines["http.listen"], Key: "http.listen", Problem: fmt.Sprintf("can't listen on %s: %v", quote(c.HTTP.Listen), cause),
		Hint: "set an address of this machine and a port that nobody has (ss -ltnp shows who has one)",
	}}}
}

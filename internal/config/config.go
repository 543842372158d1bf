// Package config turns credsync.yaml into one [Config] that is known to be
// good. What is wrong with a file is told all at once, each problem with its
// line and the way out; see [Error].
//
// The kinds of sinks and sources are a typed union: a [Sink] has a member for
// each kind, one of which is set. What an adapter can be told is up to its own
// Config type, which also says what is wrong with it.
package config

import (
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/notify"
	"github.com/credsync/credsync/internal/sink/awssm"
	"github.com/credsync/credsync/internal/sink/file"
	"github.com/credsync/credsync/internal/sink/vaultkv"
	"github.com/credsync/credsync/internal/source/smapi"
)

// A Config is a whole configuration. Unless said otherwise, one that [Load]
// returned holds defaults where the file said nothing, absolute paths, names
// that exist, and secrets that could be read.
type Config struct {
	// Instance is the owner mark on all that is written. Two installations that
	// write to one place need two. Default "default".
	Instance string `yaml:"instance,omitempty"`
	// StateDir is a directory for what makes restarts smoother: a rotated
	// refresh token, learned paces, last slots. Losing it loses no secret.
	// Default $STATE_DIRECTORY, which systemd sets; empty = keep nothing.
	StateDir string `yaml:"state_dir,omitempty" resolve:"path"`
	// Sources are where credentials come from, by name.
	Sources map[string]Source `yaml:"sources"`
	// Sinks are where credentials go, by name.
	Sinks map[string]Sink `yaml:"sinks"`
	// Jobs say which skills of a source go to which sinks, and when.
	Jobs map[string]Job `yaml:"jobs"`
	// Audit is where the audit trail goes: a file, a stream, or one of each.
	// Default: standard output of the daemon, standard error of other commands.
	Audit Audits `yaml:"audit,omitempty"`
	// HTTP is the read-only face: health, metrics, status page.
	HTTP HTTP `yaml:"http,omitempty"`
	// Notify tells others how runs went.
	Notify Notify `yaml:"notify,omitempty"`
	// OTLPEndpoint is the URL of an OpenTelemetry collector that takes OTLP over
	// HTTP, such as http://127.0.0.1:4318: it gets a span for each run, each skill
	// and each call of a source or a sink. Headers come from
	// $OTEL_EXPORTER_OTLP_HEADERS. Empty = no traces.
	OTLPEndpoint string `yaml:"otlp_endpoint,omitempty"`
	// FingerprintKey is where a key is kept that makes the fingerprints beside
	// the stored secrets your own. Default: a public key, which is safe, as a
	// client secret can't be guessed; but it shows where two installations
	// store the same value at the same place.
	FingerprintKey credential.Ref `yaml:"fingerprint_key,omitempty"`

	// Path is the file that the configuration came from, as it was named.
	Path string `yaml:"-"`
	// SHA256 is the hex digest of the file's content.
	SHA256 string `yaml:"-"`
	// Advice is what works but deserves a word.
	Advice []Problem `yaml:"-"`

	lines map[string]int // of keys that are spoken of after loading
}

// A Source is one place where credentials come from. Exactly one member is set.
type Source struct {
	// SMAPI is an Amazon developer account.
	SMAPI *smapi.Config `yaml:"smapi,omitempty"`
}

// A Sink is one place where credentials go. Exactly one of the kinds is set.
type Sink struct {
	// VaultKV is a KV secrets engine of HashiCorp Vault or OpenBao.
	VaultKV *vaultkv.Config `yaml:"vault_kv,omitempty"`
	// AWS is AWS Secrets Manager in one region.
	AWS *awssm.Config `yaml:"aws_secrets_manager,omitempty"`
	// File is a directory with a file for each skill.
	File *file.Config `yaml:"file,omitempty"`
	// Fields are the names and values of what is stored for a skill. Values may
	// hold {client_id} {client_secret} {skill_id} {skill_uuid} {label}
	// {instance}. Default: client_id and client_secret.
	Fields map[string]string `yaml:"fields,omitempty"`
}

// A Job brings the credentials of some skills from a source to sinks.
type Job struct {
	// Schedule is when the daemon runs the job: five cron fields, or @hourly,
	// @daily, @every 6h and the like. Other commands don't need it.
	Schedule string `yaml:"schedule,omitempty"`
	// TimeZone is whose clock the schedule follows, such as Europe/Berlin.
	// Default: the system's.
	TimeZone string `yaml:"time_zone,omitempty"`
	// Jitter spreads the starts of many hosts over this long; each host keeps
	// its place. Default 0.
	Jitter time.Duration `yaml:"jitter,omitempty"`
	// Timeout ends a run that takes longer. Default 30m.
	Timeout time.Duration `yaml:"timeout,omitempty"`
	// Source is the name of the source.
	Source string `yaml:"source"`
	// Skills is the list of skills.
	Skills Skills `yaml:"skills"`
	// Sinks are the names of the sinks.
	Sinks []string `yaml:"sinks"`
	// MaxChanges is the brake: a run that would update more than this share of
	// the secrets of a sink stops before its first update. Default 20%;
	// 100% turns it off.
	MaxChanges Percent `yaml:"max_changes,omitempty"`
	// OnStart runs the job once when the daemon starts.
	OnStart bool `yaml:"on_start,omitempty"`
	// Hook is a program that is run after a run that changed something, to let
	// consumers take up what is new.
	Hook *notify.CommandConfig `yaml:"hook,omitempty"`
}

// An Audit is a destination of the audit trail. Exactly one of File and Stream
// is set.
type Audit struct {
	// File is a file that records are appended to.
	File string `yaml:"file,omitempty" resolve:"path"`
	// Stream is stdout or stderr.
	Stream string `yaml:"stream,omitempty"`
	// Key is where a key is kept that the chain of records is made with.
	// Without one, the chain shows accidents, but not a forger.
	Key credential.Ref `yaml:"key,omitempty"`
}

// Notify is who is told how runs went.
type Notify struct {
	// Webhook is posted to after a run that changed, refused or failed something.
	Webhook *notify.WebhookConfig `yaml:"webhook,omitempty"`
}

// HTTP is the read-only face of the daemon.
type HTTP struct {
	// Listen is the address to listen on, as host:port. Empty = off.
	Listen string `yaml:"listen,omitempty"`
	// AllowedHosts are names by which others may ask, without a port, such as
	// that of a Kubernetes service. Localhost, the host of listen, the name of
	// this machine and every IP address are allowed anyway.
	AllowedHosts []string `yaml:"allowed_hosts,omitempty"`
}

const (
	defaultInstance   = "default"
	defaultTimeout    = 30 * time.Minute
	defaultMaxChanges = Percent(20)
)

func defaultFields() map[string]string {
	return map[string]string{"client_id": "{client_id}", "client_secret": "{client_secret}"}
}

// Location returns the time zone of the schedule, the system's where none is
// set.
func (j Job) Location() (*time.Location, error) {
	if j.TimeZone == "" {
		return time.Local, nil
	}
	return time.LoadLocation(j.TimeZone)
}

// UnmarshalYAML sets defaults before it decodes.
func (j *Job) UnmarshalYAML(n *yaml.Node) error {
	type plain Job // has no UnmarshalYAML
	p := plain{Timeout: defaultTimeout, MaxChanges: defaultMaxChanges}
	err := n.Decode(&p)
	*j = Job(p)
	return err
}

// Audits are destinations, written as one mapping or a list of them.
type Audits []Audit

// UnmarshalYAML accepts one destination where a list is meant.
func (a *Audits) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.MappingNode {
		*a = make(Audits, 1)
		return n.Decode(&(*a)[0])
	}
	return n.Decode((*[]Audit)(a))
}

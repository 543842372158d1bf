package awssm

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/fault"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
)

// A Config is how a configuration describes one AWS Secrets Manager.
//
// Credentials come from profile or, without it, from where the AWS SDK looks for
// them: AWS_ACCESS_KEY_ID, a web identity token, AWS_PROFILE and the shared
// files, the container's or the machine's role. With role_arn, they are what
// that role is assumed with. Other AWS_* variables and
// settings of the shared files (region, endpoint_url, FIPS, retries) have no
// effect on the sink; but where the SDK can't read a shared file, it finds no credentials.
type Config struct {
	// Region is the AWS region that holds the secrets, such as eu-west-1.
	Region string `yaml:"region"`
	// Name is the template of the secrets' names, such as alexa/{skill_id}.
	// Placeholders: {skill_id} {skill_uuid} {label} {instance}.
	Name string `yaml:"name"`
	// KMSKeyID is the key that new secrets are encrypted with: an ID, an ARN or
	// an alias. Default: the account's own key for Secrets Manager. A secret
	// that exists keeps its key.
	KMSKeyID string `yaml:"kms_key_id,omitempty"`
	// Tags are put on new secrets beside credsync's own. A secret that exists
	// keeps its tags.
	Tags map[string]string `yaml:"tags,omitempty"`
	// Restore tells whether a secret of ours that is scheduled for deletion is
	// brought back. Default: true. If false, it is refused.
	Restore *bool `yaml:"restore,omitempty"`
	// Profile is a profile of the shared files (~/.aws/config and
	// ~/.aws/credentials) to take credentials from, whatever the environment says.
	Profile string `yaml:"profile,omitempty"`
	// RoleARN is an IAM role to assume for all calls.
	RoleARN string `yaml:"role_arn,omitempty"`
	// ExternalID is what the trust policy of the role asks for.
	ExternalID string `yaml:"external_id,omitempty"`
	// EndpointURL replaces the region's public endpoint of Secrets Manager, for
	// instance by a VPC endpoint. STS is not affected.
	EndpointURL string `yaml:"endpoint_url,omitempty"`
	// TLS says how AWS's certificates are verified, for a network that puts its
	// own in their place. The server name is that of endpoint_url.
	TLS wire.TLS `yaml:"tls,omitempty"`
	// Proxy is an HTTP proxy on the way to Secrets Manager and STS.
	Proxy wire.Proxy `yaml:"proxy,omitempty"`
}

// Limits of AWS: Tag and AssumeRole API references.
const (
	maxTags     = 50 - 3 // three are credsync's own
	maxTagKey   = 128
	maxTagValue = 256

	maxExternalID = 1224
)

var (
	regionPattern     = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)
	rolePattern       = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9/_+=,.@-]+$`)
	externalIDPattern = regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]{2,}$`)
	profilePattern    = regexp.MustCompile(`^[\p{L}\p{N}_.:/@%+-]+( [\p{L}\p{N}_.:/@%+-]+)*$`)
	keyPattern        = regexp.MustCompile(`^[A-Za-z0-9:/_-]+$`)
	tagPattern        = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]*$`)
)

// Faults returns all that is wrong with c.
func (c Config) Faults() fault.List {
	var l fault.List
	switch {
	case c.Region == "":
		l.Add("region", "missing", "set it to the AWS region that holds the secrets, such as eu-west-1")
	case !regionPattern.MatchString(c.Region):
		l.Add("region", fmt.Sprintf("%q is no AWS region", c.Region), "write it as AWS does, such as eu-west-1")
	}
	c.nameFaults(&l)
	if c.KMSKeyID != "" && !keyPattern.MatchString(c.KMSKeyID) {
		l.Add("kms_key_id", fmt.Sprintf("%q is no KMS key", c.KMSKeyID), "set it to the ID, the ARN or the alias (alias/…) of a key, or remove it")
	}
	c.tagFaults(&l)
	if c.Profile != "" && !profilePattern.MatchString(c.Profile) {
		l.Add("profile", "not the name of a profile", "write it as in ~/.aws/config, in the brackets after profile")
	}
	if c.RoleARN != "" && !rolePattern.MatchString(c.RoleARN) {
		l.Add("role_arn", fmt.Sprintf("%q is no ARN of a role", c.RoleARN), "write it as arn:aws:iam::123456789012:role/NAME")
	}
	switch {
	case c.ExternalID == "":
	case c.RoleARN == "":
		l.Add("external_id", "given without role_arn", "set role_arn, or remove external_id")
	case !externalIDPattern.MatchString(c.ExternalID), len(c.ExternalID) > maxExternalID:
		l.Add("external_id", "not accepted by AWS", "use 2 to 1224 letters, digits and _+=,.@:/-")
	}
	if c.EndpointURL != "" && !validEndpoint(c.EndpointURL) {
		l.Add("endpoint_url", "not the URL of an endpoint", "write it as https://HOST or http://HOST:PORT, without user, query and fragment, or remove it")
	}
	l.Within("", wire.Settings{Proxy: c.Proxy}.Faults())
	if c.TLS.ServerName != "" && c.EndpointURL == "" {
		l.Add("tls.server_name", "given without endpoint_url", "remove it: the public endpoint of a region has its own name")
	}
	return l
}

func (c Config) nameFaults(l *fault.List) {
	const hint = "set it to a template such as alexa/{skill_id}"
	if c.Name == "" {
		l.Add("name", "missing", hint)
		return
	}
	t, err := sink.ParseTemplate(c.Name)
	if err != nil {
		l.Add("name", err.Error(), hint)
		return
	}
	// What the placeholders render is checked with each name; an "x" for each
	// is the shortest that they can come to.
	name := placeholderPattern.ReplaceAllString(t.String(), "x")
	if err := checkName(name); err != nil {
		l.Add("name", strings.TrimPrefix(err.Error(), sink.ErrInvalid.Error()+": "), hint)
	}
}

var placeholderPattern = regexp.MustCompile(`\{[^{}]*\}`)

func (c Config) tagFaults(l *fault.List) {
	if len(c.Tags) > maxTags {
		l.Add("tags", fmt.Sprintf("%d tags", len(c.Tags)), fmt.Sprintf("keep to %d: AWS allows 50, and three are credsync's own", maxTags))
	}
	keys := make([]string, 0, len(c.Tags))
	for key := range c.Tags {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		value := c.Tags[key]
		switch lower := strings.ToLower(key); {
		case strings.HasPrefix(lower, "aws:"), strings.HasPrefix(lower, tagPrefix):
			l.Add("tags", fmt.Sprintf("%q begins with a reserved prefix", key), "choose a key that begins neither with aws: nor with credsync:")
		case key == "", len([]rune(key)) > maxTagKey, !tagPattern.MatchString(key):
			l.Add("tags", fmt.Sprintf("%q can't be the key of a tag", key), "use 1 to 128 letters, digits, blanks and _.:/=+@-")
		case len([]rune(value)) > maxTagValue, !tagPattern.MatchString(value):
			l.Add("tags", fmt.Sprintf("the value of %q can't be that of a tag", key), "use up to 256 letters, digits, blanks and _.:/=+@-")
		}
	}
}

func validEndpoint(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" &&
		u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// Form says how the records of this sink are made.
func (c Config) Form() sink.Form {
	return sink.Form{Kind: Kind, Scope: c.Region, Encode: sink.JSON}
}

// NameTemplate returns the text of the template of names.
func (c Config) NameTemplate() string { return c.Name }

// Place tells where the sink writes, as far as the configuration tells: two
// sinks with the same place would write to the same secrets.
func (c Config) Place() string {
	return strings.Join([]string{Kind, c.EndpointURL, c.Region, c.Profile, c.RoleARN, c.Name}, " ")
}

// restores reports whether a deleted secret of ours is brought back.
func (c Config) restores() bool { return c.Restore == nil || *c.Restore }

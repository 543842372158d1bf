package awssm

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/credsync/credsync/internal/sink"
)

// A document is an IAM policy (AWS: IAM JSON policy element reference).
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid       string
	Effect    string
	Action    []string
	Resource  any
	Condition map[string]map[string]any `json:",omitempty"`
}

// Policies returns the least that c needs of AWS to write for instance: what who
// makes the calls may do and, where that is a role, what who assumes it may do.
// It asks nobody. An empty account is any: an IAM policy reaches no other
// account's secrets by itself.
func (c Config) Policies(instance, account string) []sink.Policy {
	p := place{c, c.account(account), partitionOf(c.Region)}
	writes := policy("who credsync is to AWS", p.writes(instance)...)
	if c.RoleARN == "" {
		return []sink.Policy{writes}
	}
	writes.For = "the role " + c.RoleARN
	return []sink.Policy{writes, policy("who assumes the role "+c.RoleARN, p.assumes())}
}

func policy(whose string, statements ...statement) sink.Policy {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(document{"2012-10-17", statements}) // strings alone: it can't fail
	return sink.Policy{For: whose, Language: "json", Text: b.String()}
}

// A place is where a Config writes, as ARNs say it.
type place struct {
	Config
	account   string
	partition partition
}

// Names of conditions (AWS: Actions, resources, and condition keys for AWS
// Secrets Manager, and for AWS KMS).
const (
	resourceOwner = "secretsmanager:ResourceTag/" + tagOwner
	requestOwner  = "aws:RequestTag/" + tagOwner
	equals        = "StringEquals"
	onlyThese     = "ForAllValues:StringEquals"
)

func (p place) writes(instance string) []statement {
	names := p.secrets(instance)
	change := []string{"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"}
	if p.restores() {
		change = append(change, "secretsmanager:RestoreSecret")
	}
	marks := append([]string{tagOwner, tagSkill, tagKey}, slices.Sorted(maps.Keys(p.Tags))...)
	ours := map[string]any{resourceOwner: instance}
	all := []statement{
		allow("List", "*", map[string]map[string]any{equals: {"aws:RequestedRegion": p.Region}}, "secretsmanager:ListSecrets"),
		allow("Look", names, nil, "secretsmanager:DescribeSecret"),
		allow("Claim", names, map[string]map[string]any{equals: {requestOwner: instance}, onlyThese: {"aws:TagKeys": marks}},
			"secretsmanager:CreateSecret", "secretsmanager:TagResource"),
		allow("ChangeOurs", names, map[string]map[string]any{equals: ours}, change...),
		allow("NoteTheFingerprintsKey", names, map[string]map[string]any{equals: ours, onlyThese: {"aws:TagKeys": []string{tagKey}}},
			"secretsmanager:TagResource"),
	}
	if p.KMSKeyID != "" {
		all = append(all, p.encrypts())
	}
	return all
}

func allow(sid string, resource any, condition map[string]map[string]any, actions ...string) statement {
	return statement{Sid: sid, Effect: "Allow", Action: actions, Resource: resource, Condition: condition}
}

// anyUUID is the shape of what {skill_uuid} renders.
const anyUUID = "????????-????-????-????-????????????"

// secrets returns the ARNs of the secrets that the template names. AWS puts a
// hyphen and six characters behind each name, but where nothing stands yet a call
// may be judged by the plain name.
func (p place) secrets(instance string) []string {
	name := strings.NewReplacer("{instance}", instance, "{skill_uuid}", anyUUID).Replace(p.Name)
	arn := p.arn("secretsmanager", p.Region, "secret:"+placeholderPattern.ReplaceAllString(name, "*"))
	if strings.HasSuffix(arn, "*") {
		return []string{arn}
	}
	return []string{arn, arn + "-??????"}
}

func (p place) arn(service, region, resource string) string {
	return strings.Join([]string{"arn", p.partition.name, service, region, p.account, resource}, ":")
}

// encrypts allows what Secrets Manager does in our name with a key of the
// customer's. An alias is no resource, but a condition of one.
func (p place) encrypts() statement {
	condition := map[string]map[string]any{equals: {"kms:ViaService": "secretsmanager." + p.Region + "." + p.partition.domain}}
	key := p.KMSKeyID
	if i := strings.LastIndex(key, ":alias/"); i >= 0 {
		condition["ForAnyValue:StringEquals"] = map[string]any{"kms:ResourceAliases": key[i+1:]}
		key = key[:i] + ":key/*"
	} else if strings.HasPrefix(key, "alias/") {
		condition["ForAnyValue:StringEquals"] = map[string]any{"kms:ResourceAliases": key}
		key = p.arn("kms", p.Region, "key/*")
	} else if !strings.HasPrefix(key, "arn:") {
		key = p.arn("kms", p.Region, "key/"+key)
	}
	return allow("Encrypt", key, condition, "kms:GenerateDataKey", "kms:Decrypt")
}

func (p place) assumes() statement {
	var condition map[string]map[string]any
	if p.ExternalID != "" {
		condition = map[string]map[string]any{equals: {"sts:ExternalId": p.ExternalID}}
	}
	return allow("AssumeTheRole", p.RoleARN, condition, "sts:AssumeRole")
}

var roleAccount = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):`)

// account returns the account of the secrets: that of the role, the one given,
// or any.
func (c Config) account(given string) string {
	if m := roleAccount.FindStringSubmatch(c.RoleARN); m != nil {
		return m[1]
	}
	if given == "" {
		return "*"
	}
	return given
}

// A partition is a part of AWS with ARNs and a domain of its own.
type partition struct{ regions, name, domain string }

// partitions are those of the regions that begin so (AWS: Amazon Resource
// Names); other regions are of usual.
var (
	partitions = []partition{
		{"cn-", "aws-cn", "amazonaws.com.cn"},
		{"us-gov-", "aws-us-gov", "amazonaws.com"},
		{"eusc-", "aws-eusc", "amazonaws.eu"},
		{"us-iso-", "aws-iso", "c2s.ic.gov"},
		{"us-isob-", "aws-iso-b", "sc2s.sgov.gov"},
		{"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"},
		{"us-isof-", "aws-iso-f", "csp.hci.ic.gov"},
	}
	usual = partition{"", "aws", "amazonaws.com"}
)

func partitionOf(region string) partition {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.regions) {
			return p
		}
	}
	return usual
}

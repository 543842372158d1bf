package awssm

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// The tags of a secret that is ours.
const (
	tagPrefix = "credsync:"
	tagOwner  = tagPrefix + "owner" // the instance
	tagSkill  = tagPrefix + "skill"
	tagKey    = tagPrefix + "key" // ID of the key of the fingerprint
)

// The labels of versions.
const (
	stageCurrent = "AWSCURRENT"
	stagePending = "CREDSYNC_PENDING"
)

// state tells what d shows.
func (s *Sink) state(d *secretsmanager.DescribeSecretOutput) sink.State {
	st := sink.State{
		Owner:   sink.Owner{Instance: tag(d.Tags, tagOwner), Skill: credential.SkillID(tag(d.Tags, tagSkill))},
		Key:     tag(d.Tags, tagKey),
		Version: current(d),
		Deleted: d.DeletedDate != nil,
		Guard:   s.guard(d),
		Ref:     aws.ToString(d.ARN),
	}
	if st.Owner.Instance == "" || st.Owner.Skill == "" { // half a mark marks nothing
		st.Owner = sink.Owner{}
	}
	// Without the mark, a secret that has no value yet is somebody's all the same.
	st.Exists = st.Version != "" || st.Deleted || st.Owner.IsZero()
	if f := credential.Fingerprint(st.Version); f.Valid() && !st.Deleted && !st.Owner.IsZero() {
		st.Fingerprint = f
	}
	return st
}

// current returns the ID of the version that holds AWSCURRENT, or "".
func current(d *secretsmanager.DescribeSecretOutput) string {
	for id, stages := range d.VersionIdsToStages {
		if slices.Contains(stages, stageCurrent) {
			return id
		}
	}
	return ""
}

// guard returns a sentence where a secret is not to be changed although its
// tags are ours.
func (s *Sink) guard(d *secretsmanager.DescribeSecretOutput) string {
	switch {
	case aws.ToString(d.OwningService) != "":
		return "another AWS service manages this secret; use another name"
	case aws.ToString(d.Type) != "":
		return "an external partner manages this secret; use another name"
	case aws.ToBool(d.RotationEnabled):
		return "rotation is on for this secret; turn it off or use another name"
	case aws.ToString(d.PrimaryRegion) != "" && aws.ToString(d.PrimaryRegion) != s.config.Region:
		return "this secret is a replica; set region to that of its primary"
	case d.DeletedDate != nil && !s.config.restores():
		return "this secret is scheduled for deletion, and restore is false; restore it by hand or set restore to true"
	}
	return ""
}

// isAbout reports whether ref is the ARN of a secret called name: it ends in
// the name, a hyphen and six random characters, which a namesake made later
// doesn't share.
func isAbout(ref, name string) bool {
	const randomEnd = len("-AbCdEf")
	return len(ref) > randomEnd && strings.HasSuffix(ref[:len(ref)-randomEnd], ":secret:"+name)
}

// written returns the state after r was written to the secret with arn.
func written(arn string, r sink.Record) sink.State {
	return sink.State{
		Exists: true, Owner: r.Owner, Fingerprint: r.Fingerprint, Key: r.Key,
		Version: string(r.Fingerprint), Ref: arn,
	}
}

func tag(tags []types.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}

func newTag(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

func ownerTags(o sink.Owner) []types.Tag {
	return []types.Tag{newTag(tagOwner, o.Instance), newTag(tagSkill, string(o.Skill))}
}

package awssm

import (
	"context"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/doctor"
	"github.com/credsync/credsync/internal/sink"
)

var _ doctor.Examiner = (*Sink)(nil)

// sampleSkill stands for any skill where a right is tried.
const sampleSkill credential.SkillID = "amzn1.ask.skill.00000000-0000-4000-8000-000000000000"

// Examination implements [doctor.Examiner]: an identity, one entry of a listing,
// AWS's clock, and whether we may look at a secret of our names. Whether we may
// write shows at a write alone.
func (s *Sink) Examination() []doctor.Step {
	var clock time.Time
	return []doctor.Step{
		{Name: "identity", Do: func(ctx context.Context) ([]string, error) {
			client, ok := s.api.(*secretsmanager.Client)
			if !ok {
				return nil, nil
			}
			_, err := client.Options().Credentials.Retrieve(ctx)
			return nil, explain(ctx, "get credentials", err)
		}},
		{Name: "way to AWS, and the right to list", Needs: []string{"identity"}, Do: func(ctx context.Context) ([]string, error) {
			out, err := s.page(ctx, 1, nil, filter(types.FilterNameStringTypeTagKey, tagOwner))
			if err == nil {
				clock, _ = awsmiddleware.GetServerTime(out.ResultMetadata)
			}
			return s.config.advice(), explain(ctx, "list", err)
		}},
		{Name: "clock", Needs: []string{"way to AWS, and the right to list"}, Do: func(context.Context) ([]string, error) {
			if clock.IsZero() {
				return nil, nil // an answer without a date says nothing
			}
			return doctor.Skew("AWS", clock), nil
		}},
		{Name: "right to look at a secret", Needs: []string{"identity"}, Do: s.mayDescribe},
	}
}

// mayDescribe inspects a name that no skill has.
func (s *Sink) mayDescribe(ctx context.Context) ([]string, error) {
	names, err := sink.ParseTemplate(s.config.NameTemplate())
	if err != nil {
		return nil, err
	}
	name, err := names.Render(sink.Subject{Skill: sampleSkill, Label: "check", Instance: "default"})
	if err != nil {
		return nil, err
	}
	_, err = s.Inspect(ctx, name)
	return nil, err
}

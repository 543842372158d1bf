package awssm

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/credsync/credsync/internal/sink"
)

// pageSize is the most that AWS gives in a page (AWS: ListSecrets API
// reference).
const pageSize = 100

// List finds the states of all secrets of the region that bear instance's mark.
// It costs a call for each hundred.
//
// AWS's listing lags up to five minutes behind. List therefore leaves out what
// this Sink wrote or tried to write in the last ten: such a name has to be
// inspected, as any that is not in the list. It can't know what other processes
// wrote. A run that heals, or that follows another within ten minutes, should
// inspect all names and not use List.
func (s *Sink) List(ctx context.Context, instance string, found func(string, sink.State)) error {
	s.recent.prune()
	seen := make(map[string]bool) // the pages asked for: a list that goes in circles has no end
	for token := (*string)(nil); ; {
		// The filters narrow: AWS takes them for beginnings, and does not pair
		// key and value.
		out, err := s.page(ctx, pageSize, token,
			filter(types.FilterNameStringTypeTagKey, tagOwner), filter(types.FilterNameStringTypeTagValue, instance))
		if err != nil {
			return explain(ctx, "list", err)
		}
		for _, entry := range out.SecretList {
			name, st := aws.ToString(entry.Name), s.state(described(entry))
			if st.Owner.Instance == instance && !s.recent.has(name) {
				found(name, st)
			}
		}
		// Pages may be short or empty; only a missing token ends the list.
		switch next := out.NextToken; {
		case aws.ToString(next) == "":
			return nil
		case seen[*next]:
			return fmt.Errorf("list: %w: the same page came twice", sink.ErrUnavailable)
		default:
			seen[*next], token = true, next
		}
	}
}

// page asks for one page of what the filters let through. Its errors are the
// SDK's, an answer without content aside.
func (s *Sink) page(ctx context.Context, size int32, token *string, filters ...types.Filter) (*secretsmanager.ListSecretsOutput, error) {
	out, err := s.api.ListSecrets(ctx, &secretsmanager.ListSecretsInput{
		Filters:                filters,
		IncludePlannedDeletion: aws.Bool(true),
		MaxResults:             &size,
		NextToken:              token,
	})
	if err == nil && out.SecretList == nil {
		return nil, errEmptyAnswer
	}
	return out, err
}

func filter(key types.FilterNameStringType, value string) types.Filter {
	return types.Filter{Key: key, Values: []string{value}}
}

// described returns what a listing says of a secret as DescribeSecret says it.
func described(e types.SecretListEntry) *secretsmanager.DescribeSecretOutput {
	return &secretsmanager.DescribeSecretOutput{
		ARN: e.ARN, Name: e.Name, Tags: e.Tags, VersionIdsToStages: e.SecretVersionsToStages,
		DeletedDate: e.DeletedDate, OwningService: e.OwningService, PrimaryRegion: e.PrimaryRegion,
		RotationEnabled: e.RotationEnabled, Type: e.Type,
	}
}

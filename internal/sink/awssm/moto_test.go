package awssm

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/sink/sinktest"
	"github.com/credsync/credsync/internal/wire"
)

// motoURL returns the endpoint of an empty moto server, or skips t.
func motoURL(t *testing.T) *url.URL {
	t.Helper()
	const variable = "CREDSYNC_TEST_AWS_ENDPOINT"
	endpoint := os.Getenv(variable)
	if endpoint == "" {
		const way = variable + " is not set: NOT TESTED against moto; run moto_server -p 5055 (pip install 'moto[server]') and set it to http://127.0.0.1:5055"
		if os.Getenv("CI") != "" {
			t.Fatal(way)
		}
		t.Skip(way)
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	reset, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint+"/moto-api/reset", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(reset)
	if err != nil {
		t.Fatalf("moto at %s: %v", endpoint, err)
	}
	_ = resp.Body.Close()
	return u
}

// TestSinkOnMoto runs the conformance suite against moto, through a proxy that
// makes requests fail.
func TestSinkOnMoto(t *testing.T) {
	motoURL(t)
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		plainEnvironment(t)
		u := motoURL(t)
		g := &gate{backend: httputil.NewSingleHostReverseProxy(u)}
		c := testConfig(g.open(t))
		m := newMoto(u)
		return sinktest.Harness{
			Sink: settled{openTest(t, c)}, Form: c.Form(), MaxBody: maxBody,
			Fail: g.fail, Requests: g.count,
			Stored: m.stored, Tamper: m.tamper, Foreign: m.foreign, Claim: m.claim, SoftDelete: m.delete,
		}
	})
}

// A moto reaches a moto server by other means than the sink.
type moto struct {
	api   *secretsmanager.Client
	edits int
}

func newMoto(u *url.URL) *moto {
	return &moto{api: secretsmanager.New(secretsmanager.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(u.String()), Retryer: aws.NopRetryer{}, HTTPClient: newHTTPClient(&wire.Base{Transport: new(http.Transport)}, "moto", nil),
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "test", ""),
	})}
}

// stored counts the versions that were current once, by their labels: one that
// lost has our label alone. moto's GetSecretValue has to be asked for a label.
func (m *moto) stored(t *testing.T, name string) sinktest.Stored {
	t.Helper()
	var st sinktest.Stored
	_, err := m.api.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &name})
	if isCode(err, notFound) {
		return st
	}
	must(t, func(ctx context.Context) error {
		versions, err := m.api.ListSecretVersionIds(ctx, &secretsmanager.ListSecretVersionIdsInput{SecretId: &name, IncludeDeprecated: aws.Bool(true)})
		if err != nil {
			return err
		}
		for _, v := range versions.Versions {
			if !slices.Equal(v.VersionStages, []string{stagePending}) {
				st.Versions++
			}
		}
		v, err := m.api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name, VersionStage: aws.String(stageCurrent)})
		switch {
		case isCode(err, notFound), isCode(err, wrongState): // claimed and empty, or deleted
			return nil
		case err != nil:
			return err
		}
		st.Body, st.Exists = aws.ToString(v.SecretString), true
		return nil
	})
	return st
}

// tamper writes as the sink does, by a label: after a move, moto's plain put
// leaves two current versions.
func (m *moto) tamper(t *testing.T, name string) {
	t.Helper()
	m.edits++
	id := fmt.Sprintf("8a3b0000-0000-4000-8000-%012d", m.edits)
	must(t, func(ctx context.Context) error {
		d, err := m.api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
		if err != nil {
			return err
		}
		if _, err = m.api.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
			SecretId: &name, ClientRequestToken: &id, SecretString: aws.String("by hand " + id), VersionStages: []string{"HAND"},
		}); err != nil {
			return err
		}
		_, err = m.api.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
			SecretId: &name, VersionStage: aws.String(stageCurrent), MoveToVersionId: &id, RemoveFromVersionId: aws.String(current(d)),
		})
		return err
	})
}

func (m *moto) foreign(t *testing.T, name, owner string) {
	t.Helper()
	m.create(t, name, foreignTags(name, owner), aws.String("theirs"))
}

func (m *moto) claim(t *testing.T, name string, o sink.Owner) {
	t.Helper()
	m.create(t, name, map[string]string{tagOwner: o.Instance, tagSkill: string(o.Skill)}, nil)
}

func (m *moto) create(t *testing.T, name string, tags map[string]string, value *string) {
	t.Helper()
	in := &secretsmanager.CreateSecretInput{Name: &name, SecretString: value}
	for k, v := range tags {
		in.Tags = append(in.Tags, types.Tag{Key: &k, Value: &v})
	}
	must(t, func(ctx context.Context) error {
		_, err := m.api.CreateSecret(ctx, in)
		return err
	})
}

func (m *moto) delete(t *testing.T, name string) {
	t.Helper()
	must(t, func(ctx context.Context) error {
		_, err := m.api.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &name})
		return err
	})
}

func must(t *testing.T, do func(context.Context) error) {
	t.Helper()
	if err := do(t.Context()); err != nil {
		t.Fatal(err)
	}
}

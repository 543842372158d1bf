package e2e

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
)

// A standIn answers as AWS Secrets Manager does where nothing goes wrong. It
// stands in for moto where that is too slow to be measured against: moto needs a
// second for a page of the listing when it holds 10,000 secrets.
type standIn struct {
	mu      sync.Mutex
	secrets map[string]*standInSecret
	names   []string // in the order of their creation
}

type standInSecret struct {
	Name, ARN string
	Tags      []map[string]string
	Stages    map[string][]string // by version
}

func startStandIn(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(&standIn{secrets: make(map[string]*standInSecret)})
	t.Cleanup(s.Close)
	return s
}

const arnPrefix = "arn:aws:secretsmanager:" + region + ":123456789012:secret:"

// A standInCall is what any of the calls says.
type standInCall struct {
	Name, SecretId, ClientRequestToken, NextToken, MoveToVersionId string
	Tags                                                           []map[string]string
	VersionStages                                                  []string
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in standInCall
	_ = json.NewDecoder(r.Body).Decode(&in)
	s.mu.Lock()
	status, out := s.answer(awsCall(r), in)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out)
}

func (s *standIn) answer(operation string, in standInCall) (int, settings) {
	id := cmp.Or(in.SecretId, in.Name)
	if len(id) > len(arnPrefix) && id[:len(arnPrefix)] == arnPrefix {
		id = id[len(arnPrefix) : len(id)-len("-AbCdEf")]
	}
	secret := s.secrets[id]
	switch {
	case operation == "ListSecrets":
		return http.StatusOK, s.page(in.NextToken)
	case operation == "CreateSecret":
		secret = &standInSecret{id, arnPrefix + id + "-AbCdEf", in.Tags, map[string][]string{in.ClientRequestToken: {"AWSCURRENT"}}}
		s.secrets[id], s.names = secret, append(s.names, id)
	case secret == nil:
		return http.StatusNotFound, settings{"__type": "ResourceNotFoundException"}
	case operation == "PutSecretValue":
		secret.Stages[in.ClientRequestToken] = in.VersionStages
	case operation == "UpdateSecretVersionStage":
		secret.Stages = map[string][]string{in.MoveToVersionId: {"AWSCURRENT"}}
	}
	return http.StatusOK, settings{
		"ARN": secret.ARN, "Name": secret.Name, "Tags": secret.Tags, "VersionIdsToStages": secret.Stages,
		"VersionId": in.ClientRequestToken, "VersionStages": secret.Stages[in.ClientRequestToken],
	}
}

func (s *standIn) page(token string) settings {
	const size = 100
	from, _ := strconv.Atoi(token)
	list := []settings{}
	for _, name := range s.names[from:min(from+size, len(s.names))] {
		secret := s.secrets[name]
		list = append(list, settings{"ARN": secret.ARN, "Name": name, "Tags": secret.Tags, "SecretVersionsToStages": secret.Stages})
	}
	out := settings{"SecretList": list}
	if from+size < len(s.names) {
		out["NextToken"] = strconv.Itoa(from + size)
	}
	return out
}

package awssm

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fake is a fault server: AWS Secrets Manager as its API reference tells it,
// where that differs from moto (states that forbid a write, names, sizes,
// labels), with the data at hand to be spoilt. It doesn't check signatures.
type fake struct {
	mu      sync.Mutex
	secrets map[string]*fakeSecret // by name
	born    int                    // secrets so far
	calls   []string               // operations, in order
	maxPage int                    // entries of a page at most; 0 = as asked
	before  func(operation string) // called before each operation, if not nil
}

type fakeSecret struct {
	name, arn string
	tags      map[string]string
	versions  []*fakeVersion
	deleted   time.Time
	extra     map[string]any // further fields of its description
}

type fakeVersion struct {
	id, body string
	stages   []string
	stood    bool // AWSCURRENT was here once
}

// An awsError is an answer by its code.
type awsError string

// fakeInput has the fields of all inputs.
type fakeInput struct {
	SecretId, Name, ClientRequestToken, SecretString string
	VersionStages                                    []string
	VersionStage, MoveToVersionId                    string
	RemoveFromVersionId                              string
	Tags                                             []struct{ Key, Value string }
	Filters                                          []struct {
		Key    string
		Values []string
	}
	IncludePlannedDeletion bool
	MaxResults             int
	NextToken              string
}

func newFake() *fake { return &fake{secrets: map[string]*fakeSecret{}} }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := operationOf(r)
	if f.before != nil {
		f.before(operation)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, operation)
	var in fakeInput
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
		answerError(w, http.StatusBadRequest, "IncompleteSignature", "")
		return
	}
	out, failed := f.do(operation, in)
	if failed != "" {
		answerError(w, http.StatusBadRequest, string(failed), "")
		return
	}
	_ = json.NewEncoder(w).Encode(out)
}

func operationOf(r *http.Request) string {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return operation
}

func answerError(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "Message": message})
}

func (f *fake) do(operation string, in fakeInput) (map[string]any, awsError) {
	switch operation {
	case "CreateSecret":
		return f.create(in)
	case "ListSecrets":
		return f.list(in)
	}
	s := f.find(in.SecretId)
	switch {
	case s == nil:
		return nil, "ResourceNotFoundException"
	case operation == "DescribeSecret":
		return s.describe("VersionIdsToStages"), ""
	case operation == "RestoreSecret":
		s.deleted = time.Time{}
	case !s.deleted.IsZero():
		return nil, "InvalidRequestException"
	case operation == "PutSecretValue":
		return s.put(in)
	case operation == "UpdateSecretVersionStage":
		if failed := s.move(in); failed != "" {
			return nil, failed
		}
	case operation == "TagResource":
		for _, t := range in.Tags {
			s.tags[t.Key] = t.Value
		}
		return map[string]any{}, ""
	default:
		return nil, "InvalidAction"
	}
	return map[string]any{"ARN": s.arn, "Name": s.name}, ""
}

func (f *fake) find(id string) *fakeSecret {
	for _, s := range f.secrets {
		if s.name == id || s.arn == id {
			return s
		}
	}
	return nil
}

func (f *fake) create(in fakeInput) (map[string]any, awsError) {
	if s := f.find(in.Name); s != nil {
		v := s.version(in.ClientRequestToken)
		switch {
		case !s.deleted.IsZero():
			return nil, "InvalidRequestException"
		case v == nil || v.body != in.SecretString:
			return nil, "ResourceExistsException"
		}
		return map[string]any{"ARN": s.arn, "Name": s.name, "VersionId": v.id}, ""
	}
	if len(in.SecretString) > 65536 || !namePattern.MatchString(in.Name) || arnLikeTail.MatchString(in.Name) {
		return nil, "ValidationException"
	}
	tags := map[string]string{}
	for _, t := range in.Tags {
		tags[t.Key] = t.Value
	}
	s := f.add(in.Name, tags)
	if in.SecretString != "" {
		in.VersionStages = []string{stageCurrent}
		return s.put(in)
	}
	return map[string]any{"ARN": s.arn, "Name": s.name}, ""
}

func (f *fake) add(name string, tags map[string]string) *fakeSecret {
	f.born++
	s := &fakeSecret{name: name, tags: tags, arn: fmt.Sprintf("arn:aws:secretsmanager:eu-west-1:123456789012:secret:%s-%06d", name, f.born)}
	f.secrets[name] = s
	return s
}

func (s *fakeSecret) version(id string) *fakeVersion {
	for _, v := range s.versions {
		if v.id == id {
			return v
		}
	}
	return nil
}

func (s *fakeSecret) holder(stage string) *fakeVersion {
	for _, v := range s.versions {
		if slices.Contains(v.stages, stage) {
			return v
		}
	}
	return nil
}

func (s *fakeSecret) put(in fakeInput) (map[string]any, awsError) {
	v := s.version(in.ClientRequestToken)
	switch {
	case v != nil && v.body != in.SecretString:
		return nil, "ResourceExistsException"
	case len(in.SecretString) > 65536:
		return nil, "ValidationException"
	case v == nil:
		v = &fakeVersion{id: in.ClientRequestToken, body: in.SecretString}
		if len(s.versions) == 0 && !slices.Contains(in.VersionStages, stageCurrent) {
			in.VersionStages = append(in.VersionStages, stageCurrent)
		}
		s.versions = append(s.versions, v)
		for _, stage := range in.VersionStages {
			s.label(stage, v)
		}
	}
	return map[string]any{"ARN": s.arn, "Name": s.name, "VersionId": v.id, "VersionStages": v.stages}, ""
}

// label moves stage to v from where it was.
func (s *fakeSecret) label(stage string, v *fakeVersion) {
	if old := s.holder(stage); old != nil && old != v {
		old.stages = slices.DeleteFunc(old.stages, func(s string) bool { return s == stage })
		if stage == stageCurrent {
			s.label("AWSPREVIOUS", old)
		}
	}
	v.stages = append(v.stages, stage)
	v.stood = v.stood || stage == stageCurrent
}

func (s *fakeSecret) move(in fakeInput) awsError {
	holder, to := s.holder(in.VersionStage), s.version(in.MoveToVersionId)
	switch {
	case to == nil:
		return "ResourceNotFoundException"
	case holder == nil && in.RemoveFromVersionId != "", holder != nil && holder.id != in.RemoveFromVersionId:
		return "InvalidParameterException"
	}
	s.label(in.VersionStage, to)
	return ""
}

// describe returns what can be known without the value; stages is what the
// answer calls the labels.
func (s *fakeSecret) describe(stages string) map[string]any {
	var tags []map[string]string
	for k, v := range s.tags {
		tags = append(tags, map[string]string{"Key": k, "Value": v})
	}
	labels := map[string][]string{}
	for _, v := range s.versions {
		if len(v.stages) > 0 {
			labels[v.id] = v.stages
		}
	}
	out := map[string]any{"ARN": s.arn, "Name": s.name, "Tags": tags, stages: labels}
	if !s.deleted.IsZero() {
		out["DeletedDate"] = s.deleted.Unix()
	}
	maps.Copy(out, s.extra)
	return out
}

func (f *fake) list(in fakeInput) (map[string]any, awsError) {
	var names []string
	for name, s := range f.secrets {
		if s.matches(in) && (s.deleted.IsZero() || in.IncludePlannedDeletion) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	from := 0
	if in.NextToken != "" {
		if _, err := fmt.Sscanf(in.NextToken, "from-%d", &from); err != nil {
			return nil, "InvalidNextTokenException"
		}
	}
	size := in.MaxResults
	if f.maxPage > 0 {
		size = min(size, f.maxPage)
	}
	if size > 100 {
		return nil, "InvalidParameterException"
	}
	to := min(from+size, len(names))
	entries := []map[string]any{}
	for _, name := range names[from:to] {
		entries = append(entries, f.secrets[name].describe("SecretVersionsToStages"))
	}
	out := map[string]any{"SecretList": entries}
	if to < len(names) {
		out["NextToken"] = fmt.Sprintf("from-%d", to)
	}
	return out, ""
}

// matches applies filters as AWS does: beginnings, key and value unpaired.
func (s *fakeSecret) matches(in fakeInput) bool {
	for _, filter := range in.Filters {
		found := false
		for k, v := range s.tags {
			text := map[string]string{"tag-key": k, "tag-value": v}[filter.Key]
			found = found || strings.HasPrefix(text, filter.Values[0])
		}
		if !found {
			return false
		}
	}
	return true
}

// edit changes the data behind the sink's back.
func (f *fake) edit(t *testing.T, name string, change func(*fakeSecret)) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.secrets[name]
	if s == nil {
		t.Fatalf("the fake holds no %s", name)
	}
	change(s)
}

// took returns the operations since the last call of took.
func (f *fake) took() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}
